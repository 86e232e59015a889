"""Skew, pace and bursts: each kind of haste is counted by its check and by no other."""

import pytest

from graphdb.audit.audit import audit
from graphdb.audit.habits import item_bursts
from graphdb.events.events import save_events
from tests.graphdb.profiled import Profiled
from tests.graphdb.sound import DOMAIN, ITEMS, at, counted, fill_sound

OUT_OF_HABIT = [at("p0", n, 20) for n in range(6)]
WITHIN_HABIT = [at("p0", n, 20) for n in range(5)]
FASTER_THAN_ALL = [at("robot", n, day, m) for day in (1, 5) for m in (0, 1, 2) for n in range(20)]
ONE_NEW = [at("new", 7, 40, n * 0.1) for n in range(120)]
ONE_KNOWN = [at("p0", 7, 40, n * 0.1) for n in range(120)]
NEWCOMERS = [at(f"new{n}", 7, 40, n * 3) for n in range(15)]
OLD_HANDS = [at(f"p{n % 10}", 7, 40 + (n // 10) * 0.01, n * 2) for n in range(20)]
ONE_HIT = [at(f"p{n % 10}", 7, 20 + n) for n in range(400)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (OUT_OF_HABIT, {"own_pace": 1}),
        (WITHIN_HABIT, {}),
        (FASTER_THAN_ALL, {"crowd_pace": 1}),
        (NEWCOMERS, {"item_bursts": 1}),
        (NEWCOMERS[:9], {}),
        (ONE_NEW, {"item_bursts": 1}),
        (ONE_KNOWN, {}),
        (OLD_HANDS, {}),
        (ONE_HIT, {"degree_skew": 408}),
        (ONE_HIT[:100], {}),
    ],
    ids=[
        "own",
        "own within",
        "crowd",
        "burst",
        "few",
        "one new",
        "one known",
        "known people",
        "skew",
        "no skew",
    ],
)
def test_haste_is_counted_by_its_check_alone(graph, rows, expected):
    fill_sound(graph)

    save_events(graph, DOMAIN, "api", rows)

    assert counted(graph) == expected


def test_where_everybody_is_new_nobody_is_a_burst(graph):
    save_events(graph, DOMAIN, "api", [at(f"new{n}", 7, 0, n * 2) for n in range(30)])

    assert counted(graph) == {}


def test_the_examples_are_whom_to_look_at(graph):
    fill_sound(graph)
    save_events(graph, DOMAIN, "api", OUT_OF_HABIT)

    found = {finding.check.name: finding for finding in audit(graph, DOMAIN)}

    assert found["own_pace"].examples == ["p0"]
    assert found["crowd_pace"].examples == []
    assert found["own_pace"].of == found["crowd_pace"].of == 10
    assert found["degree_skew"].of == 105 + len(OUT_OF_HABIT)
    assert found["item_bursts"].of == ITEMS


FLOOD = """
CREATE (robot:User {id: 'robot'}), (i:Item {id: 'flooded'})
WITH robot, i, datetime('2026-01-01T00:00:00Z') AS day
UNWIND range(1, 3000) AS n
CREATE (robot)-[:RATED {event_id: 'robot' + n, at: day + duration({seconds: 20 * n})}]->(i)
WITH DISTINCT i, day
UNWIND range(1, 200) AS person
CREATE (u:User {id: 'old' + person})
WITH u, i, day
UNWIND range(1, 10) AS n
CREATE (u)-[:RATED {event_id: u.id + ' ' + n, at: day - duration({days: 2 * n})}]->(i)
"""


@pytest.mark.faults
def test_who_floods_an_item_does_not_hold_the_audit_up(graph):
    graph.write(FLOOD)
    check = item_bursts(DOMAIN)
    profiled = Profiled(graph)

    [found] = profiled.read(check.statement, **check.parameters)

    assert (found["count"], found["examples"]) == (1, ["flooded", "flooded"])
    assert profiled.hits < 300_000
