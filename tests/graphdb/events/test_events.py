"""Events: one relationship each, whatever is sent again, in whatever order, by whom at once."""

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from graphdb.errors import LeaseLostError
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.events.recent import RECENT
from graphdb.people.tombstones import count_tombstones, event_mark, person_mark, set_tombstone
from tests.rows import NOON, event_row

ALL = """
MATCH (u:User)-[r:RATED|WATCHED]->(i:Item)
RETURN u.id AS user, type(r) AS type, r.event_id AS event, i.id AS item, r.seq AS seq
"""
SOURCES = "MATCH (s:Source) RETURN s.id AS id, s.offset AS offset, s.events AS events"
PERSON = "MATCH (u:User {id: $id}) RETURN u {.*} AS u"


def stored(graph):
    return {(r["user"], r["type"], r["event"], r["item"]) for r in graph.read(ALL)}


def test_the_same_batch_twice_changes_nothing(graph, domain):
    rows = [event_row("ann", "1"), event_row("ann", "2"), event_row("bob", "1")]

    first = save_events(graph, domain, "api", rows)
    before = graph.read(SOURCES)
    second = save_events(graph, domain, "api", rows)

    assert (first.accepted, first.duplicates, first.conflicts) == (3, [], [])
    assert (second.accepted, second.duplicates, second.conflicts) == (0, [0, 1, 2], [])
    assert stored(graph) == {
        ("ann", "RATED", "ann-1", "1"),
        ("ann", "RATED", "ann-2", "2"),
        ("bob", "RATED", "bob-1", "1"),
    }
    assert before == graph.read(SOURCES) == [{"id": "api", "offset": 2, "events": 3}]


def test_the_same_id_with_other_content_is_a_conflict_and_its_neighbours_go_in(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1", value=3)])

    report = save_events(
        graph,
        domain,
        "api",
        [event_row("ann", "1", value=5), event_row("ann", "2", event_id="new")],
    )

    assert (report.accepted, report.conflicts) == (1, [0])
    assert ("ann", "RATED", "new", "2") in stored(graph)
    values = graph.read("MATCH ()-[r:RATED {event_id: 'ann-1'}]->() RETURN r.value AS value")
    assert values == [{"value": 3.0}]


def test_one_id_may_stand_once_in_each_event_type(graph, domain):
    rows = [event_row("ann", "1"), event_row("ann", "1", event_type="watched")]

    assert save_events(graph, domain, "api", rows).accepted == 2


def test_a_retry_from_a_fast_clock_is_the_same_event_and_is_flagged(graph, domain):
    """Clamped the first time; by the second the clock's time has come near enough to be kept."""
    ahead = NOON + timedelta(minutes=7)
    save_events(graph, domain, "api", [event_row("ann", "1", 0, occurred_at=ahead)])

    again = save_events(graph, domain, "api", [event_row("ann", "1", 7, occurred_at=ahead)])

    assert again.duplicates == [0]
    stored = graph.read("MATCH ()-[r:RATED]->() RETURN r.clock_skew AS skew, toString(r.at) AS at")
    assert stored == [{"skew": True, "at": "2026-01-01T12:00:00Z"}]


def test_sequence_numbers_follow_on_within_a_source(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    save_events(graph, domain, "api", [event_row("ann", "2"), event_row("ann", "3")])
    save_events(graph, domain, "import:x", [event_row("bob", "9")], seqs=[40])

    seqs = {r["event"]: r["seq"] for r in graph.read(ALL)}
    assert seqs == {"ann-1": 0, "ann-2": 1, "ann-3": 2, "bob-9": 40}
    assert {(r["id"], r["offset"]) for r in graph.read(SOURCES)} == {("api", 2), ("import:x", 40)}


def test_rows_at_or_below_the_offset_were_dealt_with(graph, domain):
    rows = [event_row("ann", str(n)) for n in range(4)]
    save_events(graph, domain, "stream:0", rows[:2], seqs=[5, 6], offset=7, token="t")

    again = save_events(graph, domain, "stream:0", rows, seqs=[5, 6, 8, 9], token="u")

    assert (again.accepted, again.duplicates) == (2, [0, 1])
    assert graph.read("MATCH (s:Source) RETURN s.offset AS offset, s.token AS token") == [
        {"offset": 9, "token": "u"}
    ]


def test_an_offset_moves_past_rows_that_were_set_aside(graph, domain):
    save_events(graph, domain, "stream:0", [], seqs=[], offset=12, token="t")

    assert graph.read(SOURCES) == [{"id": "stream:0", "offset": 12, "events": 0}]


def test_a_reader_that_lost_its_lease_writes_nothing(graph, domain):
    graph.write("CREATE (:Source {id: 'stream:0', offset: -1, events: 0, fence: 2})")

    with pytest.raises(LeaseLostError):
        save_events(graph, domain, "stream:0", [event_row("ann", "1")], seqs=[0], fence=1)

    assert stored(graph) == set()
    row = event_row("ann", "1")
    assert save_events(graph, domain, "stream:0", [row], seqs=[0], fence=2).accepted == 1


def test_events_of_an_erased_person_are_dropped_and_counted(graph, domain):
    graph.transaction(lambda tx: set_tombstone(tx, person_mark("ann")))

    report = save_events(graph, domain, "api", [event_row("ann", "1"), event_row("bob", "1")])

    assert (report.accepted, report.dropped) == (1, [0])
    assert stored(graph) == {("bob", "RATED", "bob-1", "1")}
    assert graph.read("MATCH (s:Source) RETURN s.dropped AS n") == [{"n": 1}]


def test_what_the_sender_told_stands_on_the_event(graph, domain):
    told = {"anonymous_id": "a1", "impressions": ["1", "2"], "position": 3, "context": "{}"}
    save_events(graph, domain, "api", [event_row("ann", "1", **told)])

    event = graph.read("MATCH ()-[r:RATED]->() RETURN r {.*} AS r")[0]["r"]
    assert {name: event[name] for name in told} == told
    assert save_events(graph, domain, "api", [event_row("ann", "1")]).conflicts == [0]


def test_recent_events_are_kept_newest_last_and_bounded(graph, domain):
    rows = [event_row("ann", str(n), n, value=float(n) if n % 2 else None) for n in range(70)]

    for start in range(0, 70, 8):
        save_events(graph, domain, "api", rows[start : start + 8])

    ann = graph.read(PERSON, id="ann")[0]["u"]
    assert ann["recent_items"] == [str(n) for n in range(70 - RECENT, 70)]
    at = micros(NOON)
    assert ann["recent_events"] == [
        f"RATED {float(n) if n % 2 else '-'} {at + n * 60_000_000} api {n}"
        for n in range(70 - RECENT, 70)
    ]


@pytest.mark.faults
def test_sixteen_writers_with_shared_hubs_lose_and_double_nothing(graph, domain):
    seed = 5
    print("seed", seed)
    rng = random.Random(seed)
    rows = [event_row(f"u{n % 40}", f"i{rng.randrange(6)}", n, event_id=str(n)) for n in range(800)]
    batches = [rows[start : start + 50] for start in range(0, 800, 50)]
    work = batches * 2
    rng.shuffle(work)

    with ThreadPoolExecutor(16) as pool:
        reports = list(pool.map(lambda b: save_events(graph, domain, "api", b), work))

    assert sum(r.accepted for r in reports) == 800
    assert sum(len(r.duplicates) for r in reports) == 800
    assert {event for _, _, event, _ in stored(graph)} == {str(n) for n in range(800)}
    assert sorted(r["seq"] for r in graph.read(ALL)) == list(range(800))


def test_text_that_looks_like_cypher_is_stored_as_text(graph, domain):
    hostile = "x'}) DETACH DELETE n //"

    save_events(graph, domain, "api", [event_row(hostile, hostile, session_id=hostile)])

    assert stored(graph) == {(hostile, "RATED", f"{hostile}-{hostile}", hostile)}


def taking_back_meanwhile(graph, monkeypatch, marks):
    """While a batch is written, each time that it is, another tombstone is set."""
    marks, looks = iter(marks), itertools.count()

    def count(tx):
        if next(looks) % 2 and (mark := next(marks, None)):
            graph.transaction(lambda other: set_tombstone(other, mark))
        return count_tombstones(tx)

    monkeypatch.setattr("graphdb.events.events.count_tombstones", count)


@pytest.mark.faults
def test_others_who_take_back_all_the_time_hold_no_batch_up(graph, domain, monkeypatch):
    taking_back_meanwhile(graph, monkeypatch, (f"other-{n}" for n in itertools.count()))

    report = save_events(graph, domain, "api", [event_row("ann", "1"), event_row("bob", "1")])

    assert (report.accepted, report.dropped) == (2, [])
    assert graph.read("MATCH (t:Tombstone) RETURN count(t) AS n") == [{"n": 1}]


@pytest.mark.parametrize(
    "mark", [lambda n: event_mark("rated", str(n)), lambda n: person_mark(f"u{n}")]
)
def test_a_batch_whose_own_rows_are_taken_back_one_after_the_other_ends(
    graph, domain, monkeypatch, mark
):
    taking_back_meanwhile(graph, monkeypatch, map(mark, range(10)))

    report = save_events(
        graph, domain, "api", [event_row(f"u{n}", "1", event_id=str(n)) for n in range(12)]
    )

    assert (report.accepted, report.dropped) == (2, list(range(10)))
    assert {event for _, _, event, _ in stored(graph)} == {"10", "11"}
