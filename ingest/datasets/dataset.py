"""A data set ready to be loaded, and loading it: users, items, then events in batches.

Readers and generators return a `Dataset`; it knows neither their files nor what is done with the
graph afterwards.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.event_row import EventRow
from graphdb.events.events import EventReport
from ingest.bulk import WRITE_ROWS, write_events
from ingest.catalogue import Batch, read_items, read_users
from ingest.errors import DatasetError
from ingest.event import read_events
from ingest.problem import Rejection

if TYPE_CHECKING:
    from ingest.datasets.table_set import TableSet

CATALOGUE_BATCH = 500

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""


@dataclass(frozen=True)
class Dataset:
    """Rows as the outside writes them, for one domain.

    `items` and `users` are raw rows of ingest.catalogue, `events` raw rows of ingest.event in a
    fixed order: an event's place is its sequence number.
    """

    name: str
    domain: str
    description: str
    items: Sequence[Mapping[str, Any]]
    users: Sequence[Mapping[str, Any]]
    events: Collection[Mapping[str, Any]]


@dataclass(frozen=True)
class Reader:
    """A known data set's reader, READER in a module of its own: see ingest.datasets.folders.

    recognises: whether a folder looks like its; read: raises DatasetError naming file and line.
    """

    name: str
    recognises: Callable[[Path], bool]
    read: "Callable[[Path], Dataset | TableSet]"


@dataclass
class Loaded:
    """How many rows were given; of the events, how many were new and how many there already."""

    users: int
    items: int
    events: int
    duplicates: int


def load(
    graph: Graph, domain: Domain, dataset: Dataset, progress: Progress = lambda *_: None
) -> Loaded:
    """Load a data set; a second time changes nothing and counts every event as a duplicate.

    Raises DatasetError at the first row that is not valid in the domain; what was loaded before
    it stays, and loading again goes on from there.
    """
    _load_catalogue("users", dataset.users, read_users, save_users, graph, domain, progress)
    _load_catalogue("items", dataset.items, read_items, save_items, graph, domain, progress)
    loaded = Loaded(len(dataset.users), len(dataset.items), 0, 0)

    def note(batch: _EventBatch, report: EventReport) -> None:
        if report.conflicts:
            row = batch.seqs[report.conflicts[0]]
            raise DatasetError(f"events, row {row}: the graph has its event_id with other content")
        if batch.bad is not None:
            raise batch.bad
        loaded.events += report.accepted
        loaded.duplicates += len(report.duplicates) + batch.duplicates
        progress("events", batch.offset + 1, len(dataset.events))

    source = f"import:{_fingerprint(dataset)}"
    write_events(graph, domain, source, dataset.name, _event_batches(domain, dataset), note)
    return loaded


def _load_catalogue(
    what: str,
    raw_rows: Sequence[Mapping[str, Any]],
    read: Callable[[Domain, Sequence[Any]], Batch],
    save: Callable[[Graph, Domain, Sequence[dict[str, Any]]], object],
    graph: Graph,
    domain: Domain,
    progress: Progress,
) -> None:
    for start, rows in _batches(raw_rows, CATALOGUE_BATCH):
        batch = read(domain, rows)
        if batch.rejected:
            raise _bad_row(what, start, batch.rejected[0])
        save(graph, domain, batch.rows)
        progress(what, start + len(rows), len(raw_rows))


@dataclass
class _EventBatch:
    """See ingest.bulk.Rows. bad: the first row that is not valid, if any; `rows` end before it."""

    rows: list[EventRow]
    seqs: list[int]
    offset: int
    duplicates: int
    bad: DatasetError | None


def _event_batches(domain: Domain, dataset: Dataset) -> Iterator[_EventBatch]:
    for start, raw_rows in _batches(dataset.events, WRITE_ROWS):
        batch = read_events(
            domain, raw_rows, datetime.now(UTC), source=f"import:{dataset.name}", history=True
        )
        bad = _bad_row("events", start, batch.rejected[0]) if batch.rejected else None
        end = batch.rejected[0]["index"] if batch.rejected else len(raw_rows)
        kept = [n for n, index in enumerate(batch.indexes) if index < end]
        yield _EventBatch(
            [batch.rows[n] for n in kept],
            [start + batch.indexes[n] for n in kept],
            start + end - 1,
            sum(index < end for index in batch.duplicates_within),
            bad,
        )


def _fingerprint(dataset: Dataset) -> str:
    """Of the events' content: other rows under the same name are another source."""
    digest = hashlib.blake2b(digest_size=8)
    for row in dataset.events:
        digest.update(repr(sorted(row.items())).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _bad_row(what: str, start: int, rejection: Rejection) -> DatasetError:
    field, detail = rejection["field"] or "row", rejection["detail"]
    return DatasetError(f"{what}, row {start + rejection['index']}: {field}: {detail}")


def _batches(
    rows: Collection[Mapping[str, Any]], size: int
) -> Iterator[tuple[int, list[Mapping[str, Any]]]]:
    """Slices of `rows` with the position of each one's first row."""
    batch: list[Mapping[str, Any]] = []
    start = 0
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield start, batch
            start, batch = start + size, []
    if batch:
        yield start, batch
