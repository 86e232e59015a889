"""Served lists in the graph: written once, outcomes exactly as their events, removed in time."""

import json
from datetime import timedelta

import pytest

from graphdb.answers.served import ServedRow, fetch_served, remove_served, save_served
from graphdb.catalogue.removal import delete_item
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.events.retraction import retract_event
from graphdb.people.erasure import erase_person
from tests.documents import blocks
from tests.rows import NOON, event_row

pytestmark = pytest.mark.faults

OUTCOMES = """
MATCH (u:User)-[o:OUTCOME]->(l:ServedList)
RETURN u.id AS user, l.id AS list, o.type AS type, o.event AS event, o.item AS item, o.rank AS rank
ORDER BY event
"""
LISTS = "MATCH (l:ServedList) RETURN l.id AS id ORDER BY id"


def served_row(id: str, user: str, items: list[str], minutes: float = 0, **given) -> ServedRow:
    row = {
        "id": id,
        "user_id": user,
        "at": micros(NOON + timedelta(minutes=minutes)),
        "scenario": None,
        "context": None,
        "model_version": "v1",
        "fallback": None,
        "degraded": [],
        "first_rank": 1,
        "before": [],
        "items": items,
        "scores": [1.0 / (n + 1) for n in range(len(items))],
        "sources": ["vector"] * len(items),
        "rules": [""] * len(items),
        "acted": [],
    }
    return ServedRow(**row | given)


def lists(graph) -> list[str]:
    return [row["id"] for row in graph.read(LISTS)]


def outcomes(graph) -> list[tuple]:
    return [tuple(row.values()) for row in graph.read(OUTCOMES)]


@pytest.fixture
def shown(graph, domain):
    """Ann was shown two lists, the second of which goes on from the first."""
    save_events(graph, domain, "api", [event_row("ann", "0")])
    first = served_row("a", "ann", ["1", "2"], scenario="home", context='{"page":1}')
    second = served_row("b", "ann", ["3", "4"], 1, first_rank=3, before=["1", "2"])
    save_served(graph, [first, second])
    return first, second


def test_a_list_is_read_as_it_was_written_and_written_once(graph, shown):
    first, second = shown
    save_served(graph, [second, first])

    assert fetch_served(graph, "a") == first
    assert fetch_served(graph, "b") == second
    assert fetch_served(graph, "c") is None
    assert graph.read("MATCH ()-[s:SHOWN_TO]->(u:User) RETURN count(s) AS n, u.id AS id") == [
        {"n": 2, "id": "ann"}
    ]


def test_showing_creates_nobody(graph):
    save_served(graph, [served_row("a", "stranger", ["1"]), served_row("b", "", ["1"])])

    assert lists(graph) == ["a", "b"]
    assert graph.read("MATCH (u:User) RETURN u") == []
    assert fetch_served(graph, "a") == served_row("a", "", ["1"])


def test_an_outcome_is_written_once_with_its_place_in_the_whole_list(graph, domain, shown):
    rows = [
        event_row("ann", "2", event_id="1", recommendation_id="a"),
        event_row("ann", "4", event_id="2", recommendation_id="b", event_type="watched"),
        event_row("ann", "9", event_id="3", recommendation_id="a"),  # was not on it
        event_row("ann", "2", event_id="4", recommendation_id="unheard-of"),
    ]
    for _ in range(2):
        save_events(graph, domain, "api", rows)

    assert outcomes(graph) == [
        ("ann", "a", "RATED", "1", "2", 2),
        ("ann", "b", "WATCHED", "2", "4", 4),
    ]


def test_an_event_taken_back_or_displaced_takes_its_outcome_with_it(graph, domain, shown):
    event = event_row("ann", "2", event_id="1", recommendation_id="a")
    sooner = event_row(
        "ann", "3", event_id="1", recommendation_id="b", received_at=NOON + timedelta(hours=1)
    )
    save_events(graph, domain, "api", [event])
    save_events(graph, domain, "api", [sooner], displace=True)
    assert outcomes(graph) == [("ann", "b", "RATED", "1", "3", 3)]

    retract_event(graph, domain, "rated", "1")

    assert outcomes(graph) == []
    assert lists(graph) == ["a", "b"]


def test_of_an_erased_person_no_list_is_left_and_none_comes_back(graph, domain, shown):
    first, _ = shown
    save_events(graph, domain, "api", [event_row("ann", "2", recommendation_id="a")])
    save_served(graph, [served_row("c", "bob", ["1"])])

    erase_person(graph, "ann")
    save_served(graph, [first, served_row("d", "ann", ["1"])])

    assert lists(graph) == ["c"]
    assert graph.read("MATCH (u:User) RETURN u") == []


def test_a_deleted_item_leaves_the_list_and_its_outcome(graph, domain, shown):
    save_events(graph, domain, "api", [event_row("ann", "2", event_id="1", recommendation_id="a")])

    delete_item(graph, "2")

    assert outcomes(graph) == [("ann", "a", "RATED", "1", "2", 2)]


def test_lists_are_removed_from_the_oldest_on_and_events_stay(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "0")])
    save_served(graph, [served_row(f"{n:02}", "ann", ["1"], n) for n in range(20)])
    rows = [event_row("ann", "1", event_id=str(n), recommendation_id=f"{n:02}") for n in (2, 19)]
    save_events(graph, domain, "api", rows)

    removed = [
        remove_served(graph, NOON + timedelta(minutes=5), 100, page=2),
        remove_served(graph, NOON, 7, page=3),
        remove_served(graph, NOON, 7, page=3),
    ]

    assert removed == [5, 8, 0]
    assert lists(graph) == [f"{n:02}" for n in range(13, 20)]
    assert [outcome[1] for outcome in outcomes(graph)] == ["19"]
    assert graph.read("MATCH (:User)-[r:RATED]->() RETURN count(r) AS n") == [{"n": 3}]


def test_the_questions_of_the_page_have_its_answers(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "0"), event_row("bob", "0")])
    save_served(
        graph,
        [
            served_row(
                "a",
                "ann",
                ["1", "2"],
                sources=["vector", "vector+similar"],
                rules=["", "sponsored"],
                acted=["blocked", "sponsored"],
            ),
            served_row(
                "b",
                "ann",
                ["3", "4"],
                1,
                first_rank=3,
                sources=["vector", "popular"],
                acted=["blocked"],
            ),
            served_row("c", "bob", ["1"], model_version="v2", sources=["vector+similar"]),
        ],
    )
    chosen = [("1", "watched"), ("1", "rated"), ("2", "watched"), ("2", "watched")]
    rows = [
        event_row("ann", item, event_id=str(n), event_type=kind, recommendation_id="a")
        for n, (item, kind) in enumerate(chosen)
    ]
    save_events(graph, domain, "api", rows)

    statements, answers = (blocks("docs/served.md", kind) for kind in ("cypher", "json"))

    assert len(statements) == len(answers) == 5
    for statement, answer in zip(statements, answers, strict=True):
        columns, found = graph.explore(statement, {}, 10, 100)
        assert [dict(zip(columns, row, strict=True)) for row in found] == json.loads(answer)
