"""What events on an item weigh together where not each counts: an answer and an export agree."""

from datetime import timedelta

import pytest

from graphdb.answers.retrieval import fetch_person
from graphdb.domain import parse_domain
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.events.totals import fetch_totals
from graphdb.export.export import export_snapshot
from graphdb.people.people import join_people
from graphdb.snapshot import read_snapshot
from tests.rows import NOON, event_row

DOMAIN = """
name = "films"
[item]
label = "Film"
[events.rated]
relationship = "RATED"
value = "multiply"
counting = "latest"
half_life_days = 30
[events.watched]
relationship = "WATCHED"
weight = 0.5
counting = "once"
[events.dismissed]
relationship = "DISMISSED"
weight = -1.0
"""


@pytest.fixture
def judged():
    return parse_domain(DOMAIN, "films.toml")


@pytest.fixture
def events(graph, judged):
    def event(user, item, kind, event_id, value=None, days=0):
        at = NOON - timedelta(days=days)
        return event_row(user, item, event_type=kind, event_id=event_id, value=value, at=at)

    old = [
        event("ann", "1", "rated", "a", 5.0, days=30),
        event("ann", "1", "watched", "b"),
        event("guest", "1", "rated", "c", 4.0, days=60),
        event("ann", "2", "dismissed", "d"),
    ]
    new = [
        event("ann", "1", "rated", "e", 2.0),
        event("ann", "1", "watched", "f"),
        event("ann", "2", "dismissed", "g"),
        event("ann", "3", "watched", "h"),
    ]
    save_events(graph, judged, "api", [*old, *new])
    return len(old)


def test_the_latest_replaces_and_once_stays_once(graph, judged, events):
    person = fetch_person(graph, judged, "ann", {"api": events - 1}, NOON)

    assert person.totals == {"1": 2.0 + 0.5, "3": 0.5}
    assert [e.item_id for e in person.events].count("1") == 2


def test_where_each_counts_there_are_no_totals(graph, domain, events):
    assert fetch_person(graph, domain, "ann", {"api": events - 1}, NOON).totals == {}


def test_they_are_what_an_export_writes(graph, judged, events, tmp_path):
    join_people(graph, "ann", "guest")
    manifest = export_snapshot(graph, judged, tmp_path / "s")
    exported = read_snapshot(tmp_path / "s")
    items = exported.items["id"].to_pylist()
    sums: dict[str, float] = {}
    for row in exported.events.to_pylist():
        sums[items[row["item"]]] = sums.get(items[row["item"]], 0.0) + row["weight"]
    keys = fetch_person(graph, judged, "ann", {}, NOON).keys
    assert len(keys) == 2

    totals = fetch_totals(graph, judged, keys, ["1", "2", "3"], micros(manifest.as_of))

    assert totals == pytest.approx(sums, rel=1e-5)


def test_nobody_has_none(graph, judged):
    assert fetch_totals(graph, judged, [], ["1"], micros(NOON)) == {}
