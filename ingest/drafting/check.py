"""What an import of a path would do: a sample read as the import would read it, and counted.

The draft is made of what is seen; then the sample is imported with it up to the door of the graph.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphdb.domain import parse_domain
from ingest.datasets.table_set import TableSet, mapped_files
from ingest.drafting.draft import Draft, find_tables
from ingest.drafting.draft_text import DraftWriter
from ingest.drafting.profile import Sample, tables_in, take_sample
from ingest.errors import DatasetError

CHECKED_ROWS = 2000
"""Of each batch while counting: a sample ends near the rows that were asked for."""


@dataclass
class Report:
    """What was found; counts are of the sample."""

    path: str
    draft: str
    tables: list[dict[str, Any]] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    taken: int = 0
    rejected: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    users: int = 0
    items: int = 0
    types: Counter[str] = field(default_factory=Counter)
    first: str | None = None
    last: str | None = None

    def facts(self) -> dict[str, Any]:
        """For machines."""
        reasons = [
            {"file": file, "field": name, "code": code, "rows": rows}
            for (file, name, code), rows in self.rejected.most_common()
        ]
        return {**vars(self), "rejected": reasons}

    def lines(self) -> list[str]:
        """For people."""
        said = [
            f"{table['file']}: {table['format']}, {table['rows']:,} rows read,"
            f" {len(table['columns'])} columns, {table['use']}"
            for table in self.tables
        ]
        said += [f"{name}: left out: {why}" for name, why in self.unreadable.items()]
        kinds = ", ".join(f"{count:,} {name}" for name, count in self.types.most_common())
        said.append(f"of {self.rows:,} rows of the sample {self.taken:,} would be taken: {kinds}")
        said += [
            f"  {rows:,} rejected: {name or 'row'} ({code}) in {file}"
            for (file, name, code), rows in self.rejected.most_common()
        ]
        said.append(
            f"{self.users:,} people, {self.items:,} things, from {self.first} to {self.last}"
        )
        return said


def check_path(path: Path, rows: int = 20_000) -> Report:
    """Look at about `rows` rows of each file. Raises DatasetError if there is no table, or none
    that can be read as events."""
    samples, unreadable = [], {}
    for file in tables_in(path):
        try:
            samples.append(take_sample(file, rows))
        except DatasetError as error:
            unreadable[file.name] = str(error)
    if not samples:
        raise DatasetError("; ".join(unreadable.values()))
    draft = find_tables(path, samples)
    report = Report(str(path), DraftWriter(path, draft).text(), unreadable=unreadable)
    report.tables = [_table(sample, draft) for sample in samples]
    domain = parse_domain(report.draft, "the draft")
    _count(report, mapped_files(path, domain), domain, rows)
    return report


def _table(sample: Sample, draft: Draft) -> dict[str, Any]:
    path = sample.table.path
    use = "not used"
    if path in draft.event_files:
        use = "events"
    elif sample is draft.items or sample is draft.users:
        use = "items" if sample is draft.items else "users"
    return {
        "file": path.name,
        "format": sample.table.format,
        "rows": sample.rows,
        "columns": list(sample.columns),
        "use": use,
    }


def _count(report: Report, tables: TableSet, domain: Any, rows: int) -> None:
    users, items, times = set(), set(), []
    for batch in (
        tables.events.batches(domain, datetime.now(UTC), CHECKED_ROWS) if tables.events else ()
    ):
        report.rows += len(batch.rows) + len(batch.rejected)
        report.taken += len(batch.rows)
        _note(report, batch.rejected)
        users.update(row["user_id"] for row in batch.rows)
        items.update(row["item_id"] for row in batch.rows)
        report.types.update(row["event_type"] for row in batch.rows)
        times += [row["occurred_at"] for row in batch.rows]
        if report.rows >= rows:
            break
    for table in (*tables.items, *tables.users):
        read = 0
        for batch in table.batches(domain):
            _note(report, batch.rejected)
            read += batch.read
            if read >= rows:
                break
    report.users, report.items = len(users), len(items)
    report.first, report.last = (_day(t) for t in (min(times, default=0), max(times, default=0)))


def _note(report: Report, rejected: list[Any]) -> None:
    report.rejected.update((row["file"], row["field"], row["code"]) for row in rejected)


def _day(micros: int) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).strftime("%Y-%m-%d")
