"""Many events of one source into the graph, as fast as it takes them: the next rows are read while
the graph writes the last, and people's short lists are written once, at the end.

A source that was interrupted goes on behind its offset; one that is done changes nothing. It knows
neither files nor what becomes of a row that is not taken.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.event_lookup import fetch_source
from graphdb.event_row import EventRow
from graphdb.events import EventReport, save_events
from graphdb.recent import refresh_recent

WRITE_ROWS = 5000
REFRESH_PEOPLE = 1000
MOST_PEOPLE = 200_000
"""People whose lists wait for the end: beyond, they are written in between, to bound memory."""
DONE = "done"
"""The token beside the offset of a source that was read to its end."""


class Rows(Protocol):
    """`rows[n]` has the sequence number `seqs[n]`; `offset` is the last number accounted for."""

    @property
    def rows(self) -> Sequence[EventRow]: ...
    @property
    def seqs(self) -> Sequence[int]: ...
    @property
    def offset(self) -> int: ...


B = TypeVar("B", bound=Rows)


def write_events(
    graph: Graph,
    domain: Domain,
    source: str,
    batches: Iterable[B],
    note: Callable[[B, EventReport], None],
) -> None:
    """Write all batches, which come in the order of their numbers; `note` is told what became of
    each, with positions in its rows. Rows at or below the source's offset count as duplicates."""
    offset, token = fetch_source(graph, source)
    finished, last = token == DONE, offset
    people: set[str] = set()
    for batch in _read_ahead(batches):
        if batch.offset <= offset:
            report = EventReport(duplicates=list(range(len(batch.rows))))
        else:
            report = _write(graph, domain, source, batch, offset)
            finished = False
        if not finished:
            people.update(row["user_id"] for row in batch.rows)
        if len(people) > MOST_PEOPLE:
            _refresh(graph, domain, people)
        last = max(last, batch.offset)
        note(batch, report)
    if not finished:
        _refresh(graph, domain, people)
        save_events(graph, domain, source, [], offset=last, token=DONE)


def _read_ahead(batches: Iterable[B]) -> Iterator[B]:
    waiting = iter(batches)

    def read() -> B | None:
        return next(waiting, None)

    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(read)
        while (batch := coming.result()) is not None:
            coming = reader.submit(read)
            yield batch


def _write(graph: Graph, domain: Domain, source: str, batch: Rows, known: int) -> EventReport:
    """The batch in transactions of WRITE_ROWS; the last moves the offset to the batch's."""
    whole = EventReport()
    for start in range(0, max(1, len(batch.rows)), WRITE_ROWS):
        end = start + WRITE_ROWS
        seqs = batch.seqs[start:end]
        offset = batch.offset if end >= len(batch.rows) else seqs[-1]
        if offset > known:
            rows = batch.rows[start:end]
            part = save_events(graph, domain, source, rows, seqs=seqs, offset=offset, recent=False)
        else:
            part = EventReport(duplicates=list(range(len(seqs))))
        whole.accepted += part.accepted
        whole.duplicates += [start + n for n in part.duplicates]
        whole.conflicts += [start + n for n in part.conflicts]
        whole.dropped += [start + n for n in part.dropped]
    return whole


def _refresh(graph: Graph, domain: Domain, people: set[str]) -> None:
    ids = sorted(people)
    people.clear()
    for start in range(0, len(ids), REFRESH_PEOPLE):
        refresh_recent(graph, domain, ids[start : start + REFRESH_PEOPLE])
