"""Rankings: people are counted, not events; hidden items are in none."""

from datetime import timedelta

import pytest

from graphdb.answers.rankings import list_latest, list_trending
from graphdb.catalogue.catalogue import save_items
from graphdb.events.events import save_events
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
