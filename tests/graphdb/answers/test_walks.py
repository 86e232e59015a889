"""Candidates by what items share, what they are related to, and what people followed chose."""

import pytest

from graphdb.answers import walks
from graphdb.answers.walks import list_walked
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.people.people import join_people
from graphdb.schema import create_schema
from tests.related import RELATED, TEXT
from tests.rows import event_row, item_row

WALKED = parse_domain(
    f"""{TEXT}
[walks]
knowledge = ["people", "countries", "sequel_of"]
social = ["follows"]
""",
    "walked.toml",
)
CROWD = [f"u{n}" for n in range(6)]


@pytest.fixture
def told(graph):
    """`ran` shares a director with `ikiru`, a country with that and `rain`, a genre with `doubt`;
    ann follows six people who chose `doubt`, and four of them `alien`."""
    create_schema(graph, WALKED)
    japan = {"countries": ["Japan"]}
    items = [
        item_row("ran", genres=["Drama"], people=["Kurosawa"], **japan),
        item_row("ikiru", people=["Kurosawa"], **japan),
        item_row("rain", **japan),
        item_row("doubt", genres=["Drama"]),
        item_row("hidden", people=["Kurosawa"], hidden=True),
    ]
    save_items(graph, WALKED, items)
    rows = [event_row(u, "doubt") for u in CROWD] + [event_row(u, "alien") for u in CROWD[:4]]
    rows += [event_row(u, "rain", event_type="dismissed") for u in CROWD]
    save_events(graph, WALKED, "api", rows)
    links = [("follows", "ann", u) for u in CROWD]
    links += [("sequel_of", "aliens", "alien"), ("sequel_of", "alien", "prequel")]
    save_relations(
        graph, WALKED, [{"type": t, "start": a, "end": b, "weight": None} for t, a, b in links]
    )
    return graph


def test_what_few_share_comes_first_and_what_is_not_walked_or_hidden_never(told):
    assert list_walked(told, WALKED, "", ["ran"]) == {"knowledge": ["ikiru", "rain"]}


def test_relations_between_items_are_walked_both_ways(told):
    assert list_walked(told, WALKED, "", ["alien"]) == {"knowledge": ["aliens", "prequel"]}
    both = list_walked(told, WALKED, "", ["alien", "ran"])["knowledge"]
    assert both == ["ikiru", "rain", "aliens", "prequel"]


def test_what_too_many_share_is_passed_over(told, monkeypatch):
    monkeypatch.setattr(walks, "SHARED_BY", 2)

    assert list_walked(told, WALKED, "", ["rain"]) == {}


def test_of_what_people_chose_only_what_enough_of_them_did_is_found(told):
    assert list_walked(told, WALKED, "ann", []) == {"social": ["doubt"]}
    assert list_walked(told, WALKED, "u1", []) == {}

    join_people(told, "ann", "anonymous:c0ffee")
    assert list_walked(told, WALKED, "anonymous:c0ffee", []) == {"social": ["doubt"]}


def test_a_friend_with_two_ids_is_one_person_who_chose_what_either_did(told):
    twice = {"type": "follows", "start": "ann", "end": "anonymous:u0", "weight": None}
    save_events(told, WALKED, "api", [event_row("anonymous:u0", "alien")])
    join_people(told, "u0", "anonymous:u0")
    save_relations(told, WALKED, [twice])
    assert list_walked(told, WALKED, "ann", []) == {"social": ["doubt"]}

    save_events(told, WALKED, "api", [event_row("anonymous:u4", "alien")])
    join_people(told, "u4", "anonymous:u4")
    assert list_walked(told, WALKED, "ann", []) == {"social": ["doubt", "alien"]}


def test_a_domain_that_walks_nothing_finds_nothing(told):
    assert list_walked(told, RELATED, "ann", ["ran", "alien"]) == {}
