"""Of one type and id the row that was received first is the event, in whatever order they come."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations

import pytest

from graphdb.canonical import hash_graph
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.events.precedence import find_ranks
from graphdb.events.retraction import retract_event
from graphdb.export.export import export_snapshot
from graphdb.people.erasure import erase_person
from tests.model import expected, stored
from tests.rows import NOON, event_row
from tests.wiping import wipe

pytestmark = pytest.mark.faults

EVENTS = """
MATCH (u:User)-[r:RATED]->(i:Item)
RETURN u.id AS user, i.id AS item, r.value AS value, r.source AS source, r.seq AS seq
"""
SOURCES = """
MATCH (s:Source) RETURN s.id AS id, s.events AS events, coalesce(s.removed, 0) AS removed
ORDER BY id
"""
FIRST = event_row("ann", "1", event_id="e", received_at=NOON, value=1.0, properties='{"a":1}')
SECOND = event_row("bob", "2", event_id="e", received_at=NOON + timedelta(seconds=1), value=2.0)
THIRD = FIRST | {"received_at": micros(NOON + timedelta(seconds=2))}


def test_one_received_before_takes_the_place_and_the_other_is_given_back_as_it_came(
    graph, domain, tmp_path
):
    save_events(graph, domain, "later", [SECOND, event_row("bob", "9")])

    report = save_events(graph, domain, "sooner", [FIRST], displace=True)

    assert (report.accepted, report.conflicts, report.displaced) == (1, [], [SECOND])
    assert graph.read(EVENTS + "ORDER BY user") == [
        {"user": "ann", "item": "1", "value": 1.0, "source": "sooner", "seq": 0},
        {"user": "bob", "item": "9", "value": None, "source": "later", "seq": 1},
    ]
    assert graph.read(SOURCES) == [
        {"id": "later", "events": 1, "removed": 1},
        {"id": "sooner", "events": 1, "removed": 0},
    ]
    bob = graph.read("MATCH (u:User {id: 'bob'}) RETURN u.recent_items AS items, u.removed AS n")
    assert bob == [{"items": ["9"], "n": 1}]
    assert export_snapshot(graph, domain, tmp_path / "s").counts["events"] == 2


def test_without_being_asked_the_one_that_is_there_stays(graph, domain):
    save_events(graph, domain, "later", [SECOND])

    report = save_events(graph, domain, "sooner", [FIRST])

    assert (report.conflicts, report.displaced) == ([0], [])
    assert [row["user"] for row in graph.read(EVENTS)] == ["bob"]


def test_the_clamped_time_is_that_of_the_first_receipt(graph, domain):
    """The same event of a clock that is ahead three times, at last when its time has come."""
    ahead = NOON + timedelta(hours=2)
    rows = [
        event_row("ann", "1", occurred_at=ahead, at=min(moment, ahead), received_at=moment)
        for moment in (NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=3))
    ]
    for order in permutations(rows):
        wipe(graph)
        reports = [save_events(graph, domain, "s", [row], displace=True) for row in order]

        stored = graph.read("MATCH ()-[r:RATED]->() RETURN r {.*} AS r")[0]["r"]
        assert stored["at"].to_native() == stored["received_at"].to_native() == NOON
        assert (stored["clock_skew"], stored["occurred_at"].to_native()) == (True, ahead)
        assert not any(report.displaced or report.conflicts for report in reports)


def test_a_clamped_event_that_gives_up_its_place_keeps_the_sender_s_time(graph, domain):
    clamped = SECOND | {"occurred_at": micros(NOON + timedelta(hours=5))}
    save_events(graph, domain, "s", [clamped])

    assert save_events(graph, domain, "s", [FIRST], displace=True).displaced == [clamped]


@pytest.mark.parametrize("together", [True, False])
def test_any_order_is_the_same_graph(graph, domain, together):
    hashes = set()
    for order in permutations([FIRST, SECOND, THIRD]):
        wipe(graph)
        batches = [list(order)] if together else [[row] for row in order]
        for n, batch in enumerate(batches):
            save_events(graph, domain, f"s{n % 2}", batch, displace=True)
        hashes.add(hash_graph(graph))
        assert [row["user"] for row in graph.read(EVENTS)] == ["ann"]

    assert len(hashes) == 1


def test_taken_back_before_or_after_is_the_same_graph(graph, domain):
    rows = [FIRST, SECOND, event_row("cid", "3")]
    hashes = set()
    for moment in range(4):
        wipe(graph)
        for n in range(4):
            if n == moment:
                retract_event(graph, domain, "rated", "e")
            save_events(graph, domain, "s", rows[n : n + 1], displace=True)
        hashes.add(hash_graph(graph))

    assert len(hashes) == 1


def test_what_an_erased_person_had_is_nobody_s_to_give_back(graph, domain, monkeypatch):
    save_events(graph, domain, "s", [SECOND])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("graphdb.people.erasure.remove_relationships", _cut_short)
        erase_person(graph, "bob")

    report = save_events(graph, domain, "s", [FIRST], displace=True)

    assert (report.accepted, report.displaced) == (1, [])
    erase_person(graph, "bob")
    assert graph.read(SOURCES) == [{"id": "s", "events": 1, "removed": 1}]


def test_an_event_that_is_deleted_while_it_is_read_is_not_there(graph, domain):
    save_events(graph, domain, "s", [event_row("u", "1", event_id="there")])
    # As a reader sees one that another deletes meanwhile: found by its id, without properties.
    graph.write("MATCH (u:User), (i:Item) CREATE (u)-[:RATED {event_id: 'deleted'}]->(i)")

    asked = [("rated", "there"), ("rated", "deleted")]
    ranks = graph.transaction(lambda tx: find_ranks(tx, domain, asked))

    assert set(ranks) == {("rated", "there")}


def _cut_short(*_) -> None:
    raise KeyboardInterrupt


def test_sources_that_fight_for_the_same_ids_end_with_those_received_first(graph, domain):
    seed = 3
    print("seed", seed)
    rng = random.Random(seed)
    rows = [
        event_row(
            f"u{n % 9}", str(n % 3), event_id=str(n % 10), received_at=NOON + timedelta(seconds=n)
        )
        for n in rng.sample(range(160), 160)
    ]
    taken_back = ["0", "4", "8"]

    def write(source: int) -> None:
        for start in range(source * 40, source * 40 + 40, 8):
            batch = rows[start : start + 8]
            save_events(graph, domain, f"s{source}", batch, displace=True)

    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(write, source) for source in range(4)]
        jobs += [pool.submit(retract_event, graph, domain, "rated", id) for id in taken_back]
        for job in jobs:
            job.result()

    assert stored(graph, domain) == expected(rows, {("rated", id) for id in taken_back})
    recent = "MATCH (u:User) UNWIND u.recent_events AS event RETURN count(event) AS n"
    assert graph.read(recent) == [{"n": 7}]
