"""Rankings: people are counted, not events; hidden items, and what does not pass, are in none."""

from datetime import timedelta

import pytest

from graphdb.answers.filtering import compile_filter
from graphdb.answers.rankings import list_by_field, list_latest, list_trending
from graphdb.catalogue.catalogue import save_items
from graphdb.events.events import save_events
from graphdb.filters import parse_filter
from graphdb.schema import create_schema
from tests.filtered import EVERY_KIND
from tests.graphdb.profiled import Profiled
from tests.rows import NOON, event_row, item_row


def test_what_trends_was_chosen_by_many_people_since_then(graph, domain):
    chosen = [("a", "new", 1), ("b", "new", 2), ("a", "old", -9), ("b", "old", -8), ("c", "old", 3)]
    again = [event_row("c", "old", n, event_id=f"again{n}") for n in range(4, 9)]
    disliked = [event_row("a", "bad", n, event_id=f"d{n}", event_type="dismissed") for n in (1, 2)]
    save_events(graph, domain, "api", [event_row(*c) for c in chosen] + again + disliked)
    save_events(graph, domain, "api", [event_row(u, "gone", 5) for u in "abc"])
    save_items(graph, domain, [item_row("gone", hidden=True)])

    assert list_trending(graph, domain, NOON, 5) == [
        {"id": "new", "score": 2.0},
        {"id": "old", "score": 1.0},
    ]
    assert list_trending(graph, domain, NOON - timedelta(hours=1), 1)[0]["id"] == "old"


CHOICES = """
CREATE (i:Item {id: $type})
WITH i
UNWIND range(1, $events) AS n
CREATE (:User)-[:<type> {event_id: 'choice' + toString(n), at: $at + duration({seconds: n})}]->(i)
"""


@pytest.mark.faults
def test_of_a_long_history_the_newest_choices_are_read(graph, domain, monkeypatch):
    monkeypatch.setattr("graphdb.answers.rankings.NEWEST", 100)
    for type, days in (("WATCHED", 1), ("RATED", 2)):
        statement = CHOICES.replace("<type>", type)
        graph.write(statement, type=type, events=2_000, at=NOON + timedelta(days=days))
    graph.read("CALL db.prepareForReplanning(60)")
    profiled = Profiled(graph)

    trending = list_trending(profiled, domain, NOON, 5)

    assert trending == [{"id": "RATED", "score": 100.0}]
    assert profiled.hits < 2_000


def test_the_latest_is_what_came_last_and_may_be_shown(graph, domain):
    for item in ("1", "2", "3"):
        save_items(graph, domain, [item_row(item)])
    save_items(graph, domain, [item_row("3", hidden=True)])

    rows = list_latest(graph, 5)

    assert [row["id"] for row in rows] == ["2", "1"]
    assert rows[0]["score"] >= rows[1]["score"]


def test_only_what_passes_trends_or_is_the_latest(graph, domain):
    rows = [item_row(id, year=year) for id, year in (("1", 1990), ("2", 1950), ("3", 1940))]
    for row in rows:
        save_items(graph, domain, [row])
    save_events(graph, domain, "api", [event_row(u, i, 1) for u, i in ("a1", "b1", "a2")])
    old = compile_filter(domain, parse_filter("year < 1980", domain))

    assert list_trending(graph, domain, NOON, 5, old) == [{"id": "2", "score": 1.0}]
    assert [row["id"] for row in list_latest(graph, 5, old)] == ["3", "2"]


def test_a_field_orders_what_has_it_and_a_text_is_no_score(graph):
    create_schema(graph, EVERY_KIND)
    priced = [("dear", 30.5), ("b", 2.0), ("a", 2.0), ("gone", 1.0), ("none", None)]
    rows = [item_row(id, id == "gone", price=price) for id, price in priced]
    dated = [item_row("june", released="2026-06-01"), item_row("may", released="2026-05-31")]
    save_items(graph, EVERY_KIND, [*rows, *dated])
    cheap = compile_filter(EVERY_KIND, parse_filter("price < 10", EVERY_KIND))

    rising = list_by_field(graph, "price", "asc", 5)
    assert rising == [{"id": i, "score": s} for i, s in (("a", 2.0), ("b", 2.0), ("dear", 30.5))]
    assert list_by_field(graph, "price", "desc", 1) == [{"id": "dear", "score": 30.5}]
    assert [row["id"] for row in list_by_field(graph, "price", "desc", 5, cheap)] == ["a", "b"]
    assert list_by_field(graph, "released", "desc", 5) == [
        {"id": "june", "score": None},
        {"id": "may", "score": None},
    ]
