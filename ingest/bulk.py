"""Many events of one source into the graph, as fast as it takes them: the next rows are read and
prepared while the graph writes the last.

A source that was interrupted goes on behind its offset; one that is done changes nothing. It knows
neither files nor what becomes of a row that is not taken.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.event_lookup import fetch_source
from graphdb.events.event_row import EventRow
from graphdb.events.events import EventReport, name_source, save_events
from graphdb.events.prepared import PreparedEvents, prepare_events

WRITE_ROWS = 5000
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
    name: str,
    batches: Iterable[B],
    note: Callable[[B, EventReport], None],
) -> None:
    """Write all batches, which come in the order of their numbers; `note` is told what became of
    each, with positions in its rows. Rows at or below the source's offset count as duplicates."""
    offset, token = fetch_source(graph, source)
    name_source(graph, source, name)
    finished, last = token == DONE, offset
    for batch, parts in _read_ahead(domain, batches, offset):
        if batch.offset <= offset:
            report = EventReport(duplicates=list(range(len(batch.rows))))
        else:
            report = _write(graph, domain, source, parts)
            finished = False
        last = max(last, batch.offset)
        note(batch, report)
    if not finished:
        save_events(graph, domain, source, [], offset=last, token=DONE)


@dataclass(frozen=True)
class _Part:
    """Rows of one transaction from `start` in their batch on, and the offset behind them; `events`
    is None for rows that the graph had before."""

    start: int
    seqs: Sequence[int]
    offset: int
    events: PreparedEvents | None


def _read_ahead(
    domain: Domain, batches: Iterable[B], known: int
) -> Iterator[tuple[B, list[_Part]]]:
    waiting = iter(batches)

    def read() -> tuple[B, list[_Part]] | None:
        batch = next(waiting, None)
        return None if batch is None else (batch, _parts(domain, batch, known))

    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        coming = reader.submit(read)
        while (ready := coming.result()) is not None:
            coming = reader.submit(read)
            yield ready


def _parts(domain: Domain, batch: Rows, known: int) -> list[_Part]:
    """The batch in parts of WRITE_ROWS; the last moves the offset to the batch's."""
    parts = []
    for start in range(0, max(1, len(batch.rows)), WRITE_ROWS):
        end = start + WRITE_ROWS
        seqs = batch.seqs[start:end]
        offset = batch.offset if end >= len(batch.rows) else seqs[-1]
        new = offset > known
        events = prepare_events(domain, batch.rows[start:end]) if new else None
        parts.append(_Part(start, seqs, offset, events))
    return parts


def _write(graph: Graph, domain: Domain, source: str, parts: Sequence[_Part]) -> EventReport:
    whole = EventReport()
    for part in parts:
        if part.events is None:
            report = EventReport(duplicates=list(range(len(part.seqs))))
        else:
            report = save_events(
                graph,
                domain,
                source,
                part.events,
                seqs=part.seqs,
                offset=part.offset,
                bulk=True,
            )
        whole.accepted += report.accepted
        whole.duplicates += [part.start + n for n in report.duplicates]
        whole.conflicts += [part.start + n for n in report.conflicts]
        whole.dropped += [part.start + n for n in report.dropped]
    return whole
