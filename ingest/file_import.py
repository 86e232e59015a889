"""Importing a path: which files are what, streamed into the graph, and what was not taken.

A file's rows have sequence numbers and its content a name, so an import that died goes on after
the last batch that the graph has, and an import that is done changes nothing. It knows no format.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.events import EventReport
from ingest.bulk import write_events
from ingest.catalogue import read_items
from ingest.datasets.dataset import CATALOGUE_BATCH, Dataset, Progress, load
from ingest.datasets.folders import read_folder
from ingest.datasets.table_set import TableSet, mapped_files
from ingest.errors import DatasetError
from ingest.tables.catalogue_table import CatalogueTable
from ingest.tables.event_table import EventBatch, EventTable
from ingest.tables.rejects import RejectedRow, Rejects


@dataclass
class Imported:
    """How many rows were taken; of the events, how many were new, known, of erased people; and how
    many rows their files have."""

    users: int = 0
    items: int = 0
    events: int = 0
    duplicates: int = 0
    dropped: int = 0
    rows: int = 0


def find_dataset(path: Path, domain: Domain) -> Dataset | TableSet:
    """What `path` holds for this domain: files that its [files] name, a known data set's folder,
    or a file whose columns have the names of an event's parts.

    Raises DatasetError with one sentence if it is none of them, or a known one of another domain.
    """
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    if domain.files is not None or path.is_file():
        return mapped_files(path, domain)
    dataset = read_folder(path)
    if dataset.domain != domain.name:
        raise DatasetError(
            f"{path} is for the domain {dataset.domain}, and this stack's is {domain.name}:"
            f" say --domain {dataset.domain}, with a --home of its own"
        )
    return dataset


def import_dataset(
    graph: Graph,
    domain: Domain,
    dataset: Dataset | TableSet,
    rejects: Rejects,
    progress: Progress = lambda *_: None,
) -> Imported:
    """Users, items, then events; a row of a table that is bad goes to `rejects`, and stops nothing.

    Raises DatasetError for a file that cannot be read; what was loaded before it stays.
    """
    if isinstance(dataset, Dataset):
        return Imported(**vars(load(graph, domain, dataset, progress)))
    done = Imported()
    for table in (*dataset.users, *dataset.items):
        saved = _save_catalogue(graph, domain, table, rejects, progress)
        setattr(done, table.what, getattr(done, table.what) + saved)
    done.items += _save_item_rows(graph, domain, dataset, rejects, progress)
    if dataset.events:
        _save_event_table(graph, domain, dataset.events, rejects, progress, done)
    return done


def _save_catalogue(
    graph: Graph, domain: Domain, table: CatalogueTable, rejects: Rejects, progress: Progress
) -> int:
    save = save_items if table.what == "items" else save_users
    saved, read, total = 0, 0, len(table)
    for batch in table.batches(domain):
        save(graph, domain, batch.rows)
        rejects.add(batch.rejected)
        saved, read = saved + len(batch.rows), read + batch.read
        progress(table.what, read, max(total, read + 1))
    progress(table.what, read, read)
    return saved


def _save_item_rows(
    graph: Graph, domain: Domain, dataset: TableSet, rejects: Rejects, progress: Progress
) -> int:
    saved, rows = 0, dataset.item_rows
    for start in range(0, len(rows), CATALOGUE_BATCH):
        raw_rows = rows[start : start + CATALOGUE_BATCH]
        batch = read_items(domain, raw_rows)
        save_items(graph, domain, batch.rows)
        rejects.add(
            RejectedRow(
                file=dataset.name,
                row=start + rejection["index"],
                field=rejection["field"],
                column="",
                code=rejection["code"],
                detail=rejection["detail"],
                raw=raw_rows[rejection["index"]],
            )
            for rejection in batch.rejected
        )
        saved += len(batch.rows)
        progress("items", start + len(raw_rows), len(rows))
    return saved


def _save_event_table(
    graph: Graph,
    domain: Domain,
    table: EventTable,
    rejects: Rejects,
    progress: Progress,
    done: Imported,
) -> None:
    total = len(table)

    def note(batch: EventBatch, report: EventReport) -> None:
        done.events += report.accepted
        done.duplicates += len(report.duplicates)
        done.dropped += len(report.dropped)
        rejects.add(batch.rejected)
        detail = "the graph has its event_id with other content"
        rejects.add(batch.reject(n, "conflict", detail) for n in report.conflicts)
        progress("events", batch.offset + 1, max(total, batch.offset + 2))
        done.rows = batch.offset + 1

    batches = table.batches(domain, datetime.now(UTC))
    write_events(graph, domain, table.source, table.name, batches, note)
    progress("events", done.rows, done.rows)
