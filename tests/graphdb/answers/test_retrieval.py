"""What an answer reads: events beyond the cut with the weight that export gives them, and ids."""

from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphdb.answers import retrieval
from graphdb.answers.paths import UNREAD, fetch_evidence
from graphdb.answers.retrieval import (
    fetch_person,
    fetch_showable,
    fetch_withdrawn,
    list_popular,
    list_similar,
)
from graphdb.catalogue.catalogue import save_items
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.events.recent import RECENT
from graphdb.people.people import fetch_people, join_people
from tests.rows import NOON, event_row, item_row

FILMS = resources.files("domains").joinpath("films.toml").read_text()
DECAYING = parse_domain(
    FILMS.replace('value = "ignore"', 'value = "multiply"\nhalf_life_days = 3\nat_least = 2'),
    "films.toml",
)


def test_only_events_beyond_the_cut_are_new(graph, domain):
    save_events(graph, domain, "import:x", [event_row("ann", "1"), event_row("ann", "2")])
    save_events(graph, domain, "api", [event_row("ann", "3", event_type="dismissed")])

    everything = fetch_person(graph, domain, "ann", {}, NOON)
    newer = fetch_person(graph, domain, "ann", {"import:x": 0}, NOON)
    nothing = fetch_person(graph, domain, "ann", {"import:x": 1, "api": 0}, NOON)

    assert [e.item_id for e in everything.events] == ["1", "2", "3"]
    assert [(e.item_id, e.event_type, e.weight) for e in newer.events] == [
        ("2", "rated", 1.0),
        ("3", "dismissed", -1.0),
    ]
    assert nothing.events == []
    assert everything.version is None


def test_a_stranger_has_no_key(graph, domain):
    person = fetch_person(graph, domain, "nobody", {}, NOON)

    assert (person.keys, person.ids, person.events, person.version) == ([], [], [], None)


def test_a_person_has_the_ids_of_everybody_joined_to_them(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1"), event_row("anonymous:x", "2")])
    join_people(graph, "ann", "anonymous:x")

    for asked in ("ann", "anonymous:x"):
        person = fetch_person(graph, domain, asked, {}, NOON)
        assert (person.id, sorted(person.ids)) == ("ann", ["ann", "anonymous:x"])


def test_what_reasons_tell_comes_with_the_person_of_few_events(graph, domain, monkeypatch):
    save_items(graph, domain, [item_row("1", title="One"), item_row("2")])
    again = event_row("ann", "1", 9, event_id="again")
    rows = [event_row("ann", "1", value=3.0), again, event_row("ann", "2", 2)]
    save_events(graph, domain, "api", [*rows, event_row("joined", "3", 5)])
    graph.write("MATCH (s:User {id: 'joined'}), (u:User {id: 'ann'}) CREATE (s)-[:SAME_AS]->(u)")

    known = fetch_person(graph, domain, "joined", {}, NOON, told=True).known
    untold = fetch_person(graph, domain, "ann", {}, NOON).known
    monkeypatch.setattr(retrieval, "TOLD_EVENTS", 2)
    of_many = fetch_person(graph, domain, "ann", {}, NOON, told=True).known

    events, items = ["1", "2", "3"], ["1"]
    assert known == fetch_evidence(graph, domain, "ann", events, items)
    assert [event.user_id for event in known.latest.values()] == ["ann", "ann", "joined"]
    assert known.fields == {"1": {"title": "One"}}
    assert untold == of_many == UNREAD


def test_more_new_events_than_the_short_list_holds_are_all_found(graph, domain):
    count = RECENT + 30
    rows = [event_row("ann", str(n), n) for n in range(count)]
    save_events(graph, domain, "api", rows)

    found = fetch_person(graph, domain, "ann", {"api": 9}, NOON).events

    assert [e.item_id for e in found] == [str(n) for n in range(10, count)]


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    value=st.none() | st.floats(-5, 5),
    days=st.floats(-10, 400),
    kind=st.sampled_from(["rated", "watched", "dismissed"]),
)
def test_cypher_and_python_weigh_an_event_alike(graph, value, days, kind):
    at = NOON - timedelta(days=days)
    event_id = f"{value}:{days}:{kind}"
    row = event_row(event_id, "1", event_type=kind, event_id=event_id, value=value, at=at)
    save_events(graph, DECAYING, "api", [row])

    found = fetch_person(graph, DECAYING, event_id, {}, NOON).events

    assert found[0].weight == pytest.approx(
        DECAYING.event_weight(kind, value, at, NOON), rel=1e-6, abs=1e-9
    )


def test_similar_items_are_the_positive_weights_that_may_be_shown(graph, published):
    rows = list_similar(graph, published, "0", 10, ["1"])

    assert rows == [{"id": "2", "score": 0.3}]


def test_showable_are_those_that_exist_and_are_not_hidden(graph, published):
    assert fetch_showable(graph, ["0", "3", "none"]) == {"0"}


def test_withdrawn_is_what_is_hidden_or_expired_and_of_what_was_known_what_is_gone(graph, domain):
    times = {"past": NOON, "future": datetime.now(UTC) + timedelta(days=1)}
    rows = [item_row(id) | {"expires_at": at} for id, at in times.items()]
    save_items(graph, domain, [*rows, item_row("hidden", hidden=True), item_row("shown")])

    asked = ["shown", "hidden", "past", "future", "deleted", "never heard of"]
    found = fetch_withdrawn(graph, asked, ["shown", "deleted"])

    assert found == {"hidden", "past", "deleted"}


def test_people_are_found_by_id_and_popular_items_by_events(graph, domain):
    save_events(graph, domain, "api", [event_row(u, i) for u, i in ["a1", "b1", "a2"]])
    save_items(graph, domain, [item_row("9", hidden=True)])

    assert set(fetch_people(graph)) == {"a", "b"}
    assert list_popular(graph, domain, 5) == [{"id": "1", "events": 2}, {"id": "2", "events": 1}]
