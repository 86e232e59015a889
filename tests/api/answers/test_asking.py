"""Who asks: exactly one way, errors by field, a session's events weighed as kept ones are."""

import pytest

from api.answers.asking import Asker, AskerWithEvents, person_asking
from api.problems import InvalidError
from graphdb.domain import parse_domain

ONCE = """
name = "once"
weight_cap = 2.0
[item]
label = "Thing"
[events.viewed]
relationship = "VIEWED"
weight = 0.5
seen = false
counting = "once"
[events.rated]
relationship = "RATED"
value = "multiply"
counting = "latest"
"""


@pytest.fixture
def once():
    return parse_domain(ONCE, "once.toml")


def test_a_person_is_known_by_their_id_or_an_anonymous_one(once):
    assert person_asking(once, Asker(user_id="a"), "query") == ("a", ())
    assert person_asking(once, Asker(anonymous_id="a"), "query") == ("anonymous:a", ())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "body.user_id"),
        ({"user_id": "a", "anonymous_id": "b"}, "body.anonymous_id"),
        ({"anonymous_id": "b", "session": ["1"]}, "body.session"),
    ],
)
def test_who_asks_in_no_way_or_in_two_is_told_which_field(once, given, field):
    with pytest.raises(InvalidError) as refused:
        person_asking(once, AskerWithEvents(**given), "body")

    assert refused.value.errors[0]["field"] == field
    assert "exactly one of" in refused.value.errors[0]["detail"]


def test_a_session_is_items_and_events_that_count_as_their_type_says(once):
    session = [
        "bare",
        {"item_id": "x", "event_type": "viewed"},
        {"item_id": "x", "event_type": "viewed"},
        {"item_id": "x", "event_type": "rated", "value": 5},
        {"item_id": "x", "event_type": "rated", "value": 3},
    ]

    user, events = person_asking(once, AskerWithEvents(session=session), "body")

    assert user == ""
    assert [e.item_id for e in events] == ["bare", *"xxxx"]
    assert [e.seen for e in events] == [True, False, False, True, True]
    assert events[0].weight == 2.0
    assert sum(e.weight for e in events if e.event_type == "viewed") == pytest.approx(0.5)
    assert sum(e.weight for e in events if e.event_type == "rated") == pytest.approx(3)


def test_an_event_type_that_the_domain_lacks_is_named_with_its_place(once):
    session = ["1", {"item_id": "x", "event_type": "bought"}]

    with pytest.raises(InvalidError) as refused:
        person_asking(once, AskerWithEvents(session=session), "body")

    assert refused.value.errors == [
        {"field": "body.session.1.event_type", "detail": "expected one of rated, viewed"}
    ]
