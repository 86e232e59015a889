"""Bulk loads: what they leave is what writing along would have left, however they were cut off."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from graphdb.events.event_lookup import fetch_source
from graphdb.events.event_row import EventRow
from ingest.bulk import DONE, WRITE_ROWS, write_events
from tests.rows import event_row

EVENTS = "MATCH ()-[r:RATED]->() RETURN count(r) AS n, count(DISTINCT r.seq) AS seqs"
RECENT = """
MATCH (u:User) RETURN u.recent_loads AS loads, u.recent_items AS items, count(u) AS people
"""


@dataclass
class Rows:
    rows: list[EventRow]
    seqs: list[int]
    offset: int


def batches(count: int, size: int, *, people: int = 7, fail_at: int = -1) -> Iterator[Rows]:
    """Every third number belongs to a row that was not taken."""
    for start in range(0, count, size):
        if start == fail_at:
            raise OSError("the disk is gone")
        seqs = [n for n in range(start, min(start + size, count)) if n % 3]
        rows = [event_row(f"u{n % people}", f"i{n % 5}", n, event_id=str(n)) for n in seqs]
        yield Rows(rows, seqs, min(start + size, count) - 1)


@pytest.fixture
def write(graph, domain):
    def write(given, source="import:x"):
        counts = {"accepted": 0, "duplicates": 0, "conflicts": 0}

        def note(batch, report):
            counts["accepted"] += report.accepted
            counts["duplicates"] += len(report.duplicates)
            counts["conflicts"] += len(report.conflicts)

        write_events(graph, domain, source, "a test", given, note)
        return counts

    return write


def test_a_load_again_and_under_another_name_changes_nothing(graph, write):
    count = 2 * WRITE_ROWS + 100
    taken = sum(n % 3 > 0 for n in range(count))

    first = write(batches(count, WRITE_ROWS + 500))
    again = write(batches(count, 700))
    renamed = write(batches(count, WRITE_ROWS), "import:y")

    assert first == {"accepted": taken, "duplicates": 0, "conflicts": 0}
    assert again == renamed == {"accepted": 0, "duplicates": taken, "conflicts": 0}
    assert graph.read(EVENTS) == [{"n": taken, "seqs": taken}]
    assert graph.read(RECENT) == [{"loads": ["import:x"], "items": None, "people": 7}]
    assert fetch_source(graph, "import:x") == (count - 1, DONE)


def test_a_load_that_broke_off_goes_on_and_ends_the_same(graph, write):
    with pytest.raises(OSError, match="the disk is gone"):
        write(batches(3000, 500, fail_at=1500))
    there = fetch_source(graph, "import:x")

    counts = write(batches(3000, 800))

    assert there == (1499, None)
    assert (counts["accepted"], counts["duplicates"]) == (1000, 1000)
    assert graph.read(EVENTS) == [{"n": 2000, "seqs": 2000}]
    assert graph.read(RECENT) == [{"loads": ["import:x"], "items": None, "people": 7}]


def test_nothing_at_all_is_done_at_once(graph, write):
    assert write([])["accepted"] == 0
    assert fetch_source(graph, "import:x") == (-1, DONE)
