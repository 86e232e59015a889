"""Files of events as validated events: what each column means, checked a whole column at a time.

Rows come out in the shape that graphdb.events.events saves, and are judged as ingest.event judges
them: what only that can judge (a clock that is ahead) is given to it row by row. A row without an
id of its own gets one from its content and from how often the same content stood before it: the
same file, or the same rows in another file, give the same ids, and equal rows are events of their
own.
The horizon of a domain is for live events; what a file says is taken however old.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from graphdb.domain import Domain
from graphdb.events.event_row import EventRow, micros
from graphdb.file_specs import EventFiles
from ingest.errors import DatasetError
from ingest.event import CLOCK_TOLERANCE, json_text, read_events
from ingest.problem import quoted
from ingest.tables import coercion
from ingest.tables.coercion import Coerced
from ingest.tables.event_rows import OPTIONAL, WHO_WHAT_WHEN, event_rows, properties_of
from ingest.tables.occurrences import Occurrences
from ingest.tables.rejects import RejectedRow
from ingest.tables.tabular import CHUNK_ROWS, Broken, Chunk, Table, open_table

LONGEST_RAW = 2000


@dataclass
class EventBatch:
    """Rows of one chunk: `rows[n]` is row `seqs[n]`, counted through all files of the table.

    `offset` is the last row accounted for, as an event or as rejected. Rows keep the files' order.
    """

    rows: list[EventRow]
    seqs: list[int]
    rejected: list[RejectedRow]
    offset: int
    _chunk: Chunk
    _positions: list[int]
    _file: str

    def reject(self, n: int, code: str, detail: str) -> RejectedRow:
        """What to say of `rows[n]`, if the graph does not take it."""
        position = self._positions[n]
        return _rejected(self._file, self._chunk, position, ("event_id", "", code, detail))


@dataclass(frozen=True)
class EventTable:
    """Files of one kind, read as one table of events.

    `source` names the content: files that changed are another source, and so are the same files
    read by another mapping.
    """

    name: str
    files: tuple[Path, ...]
    spec: EventFiles

    @cached_property
    def source(self) -> str:
        """Stable for the same bytes and mapping. Raises DatasetError for a missing file."""
        digest = hashlib.blake2b(self.spec.model_dump_json(exclude={"path"}).encode())
        for path in self.files:
            try:
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "blake2b").digest())
            except OSError as error:
                raise DatasetError(f"{path}: {error.strerror}") from None
        return f"import:{digest.hexdigest()[:16]}"

    def __len__(self) -> int:
        """About how many rows, for progress only."""
        return self._length

    @cached_property
    def _length(self) -> int:
        return sum(open_table(path, self.spec).length for path in self.files)

    def batches(
        self, domain: Domain, received_at: datetime, size: int = CHUNK_ROWS
    ) -> Iterator[EventBatch]:
        """All rows in order, up to `size` of them at once; see `read_table`."""
        occurrences, start = Occurrences(), 0
        for path in self.files:
            batch = None
            for batch in read_table(
                path,
                domain,
                self.spec,
                received_at,
                start=start,
                occurrences=occurrences,
                size=size,
            ):
                yield batch
            start = batch.offset + 1 if batch else start


def read_table(
    path: Path,
    domain: Domain,
    spec: EventFiles,
    received_at: datetime,
    *,
    start: int = 0,
    occurrences: Occurrences | None = None,
    size: int = CHUNK_ROWS,
) -> Iterator[EventBatch]:
    """The events of one file, `size` rows of it a batch.

    `received_at` must be aware. Row n of the file (0 is the first row of data) has the sequence
    number start + n; every row is in exactly one batch, as an event or as a rejected row.
    `occurrences` goes on from the files before. Raises DatasetError when the file cannot be read
    at all or lacks a column, and never for a row's content.
    """
    table = open_table(path, spec)
    reading = _Reading(
        table,
        domain,
        spec,
        _columns(table, spec, domain),
        received_at,
        occurrences or Occurrences(),
    )
    wanted = list(dict.fromkeys([*reading.columns.values(), *spec.properties.values()]))
    for chunk in table.chunks(wanted, size):
        yield reading.batch(chunk, start)


def _columns(table: Table, spec: EventFiles, domain: Domain) -> dict[str, str]:
    """The file's column of each part of an event. Raises DatasetError naming what is missing."""
    known = set(table.names)
    columns: dict[str, str] = dict(spec.columns)
    if not columns:
        names = (*WHO_WHAT_WHEN, *OPTIONAL)
        columns = {name: name for name in names if name in known}
    for name, column in [*columns.items(), *spec.properties.items()]:
        if column not in known and table.format != "jsonl":
            raise DatasetError(
                f"{table.path.name}: expected a column {quoted(column)} for {name};"
                f" it has {quoted(', '.join(table.names), bare=True)}"
            )
    given = {"event_type": spec.event_type, "occurred_at": spec.at}
    if "anonymous_id" in columns:
        given["user_id"] = ""
    for name in WHO_WHAT_WHEN:
        if name not in columns and given.get(name) is None:
            raise DatasetError(
                f"{table.path.name}: nothing says which column is {name}: name it in"
                f" [files.events] of domain {domain.name}, or let `pathlight check` draft one"
            )
    return columns


def _read_column(name: str, column: Any, spec: EventFiles) -> Coerced:
    if name == "occurred_at":
        return coercion.times(column, spec.time)
    if name == "value":
        return coercion.numbers(column, spec.decimal)
    if name == "position":
        return coercion.integers(column)
    if name == "impressions":
        return coercion.strings(column, "|")
    if name in ("properties", "context"):
        found, wrong = coercion.objects(column)
        return [None if value is None else json_text(value) for value in found], wrong
    return coercion.identifiers(column)


@dataclass
class _Reading:
    """One file being read."""

    table: Table
    domain: Domain
    spec: EventFiles
    columns: dict[str, str]
    received_at: datetime
    occurrences: Occurrences
    wrong: dict[int, tuple[str, str, str, str]] = field(default_factory=dict)

    def batch(self, chunk: Chunk, start: int) -> EventBatch:
        self.wrong = {}
        count = len(chunk.numbers)
        parts = self._parts(chunk, count)
        self._judge_types(parts)
        self._judge_people(parts)
        self._judge_missing(parts)
        at = self._judge_clocks(parts)
        good = [n for n in range(count) if n not in self.wrong]
        if len(good) < count:
            parts = {name: [values[n] for n in good] for name, values in parts.items()}
            at = [at[n] for n in good]
        rows = event_rows(parts, at, micros(self.received_at), self.occurrences)
        file = self.table.path.name
        rejected = [_rejected(file, chunk, n, reason) for n, reason in self.wrong.items()]
        rejected += [broken_row(file, row) for row in chunk.broken]
        seqs = [start + chunk.numbers[n] for n in good]
        rejected.sort(key=lambda row: row["row"])
        return EventBatch(rows, seqs, rejected, start + chunk.end, chunk, good, file)

    def _parts(self, chunk: Chunk, count: int) -> dict[str, list[Any]]:
        """Every part of the events as a list; positions that are wrong are noted."""
        parts: dict[str, list[Any]] = {name: [None] * count for name in OPTIONAL}
        parts["user_id"] = [None] * count
        for name, column in self.columns.items():
            parts[name], wrong = _read_column(name, chunk.columns[column], self.spec)
            for position, detail in wrong.items():
                code = "too_large" if "at most" in detail else "invalid_value"
                self._reject(position, name, code, detail)
        if self.spec.properties:
            columns = {
                name: coercion.listed(chunk.columns[c]) for name, c in self.spec.properties.items()
            }
            parts["properties"] = [properties_of(columns, position) for position in range(count)]
        if "event_type" not in parts:
            parts["event_type"] = [self.spec.event_type] * count
        if "occurred_at" not in parts:
            moment, wrong = coercion.times([self.spec.at], "iso")
            if wrong:
                raise DatasetError(f"files.events.at: {wrong[0]}")
            parts["occurred_at"] = moment * count
        return parts

    def _judge_types(self, parts: dict[str, list[Any]]) -> None:
        types = {name: name for name in self.domain.events} | self.spec.types
        given = parts["event_type"]
        found = [types.get(value) for value in given]
        if None in found:
            for position, value in enumerate(found):
                if value is None and given[position] is not None:
                    known = ", ".join(sorted(types))
                    detail = f"no event type {quoted(given[position])}; known are {known}"
                    self._reject(position, "event_type", "unknown_event_type", detail)
        if (negative := self.spec.negative) is not None:
            values = parts["value"]
            for position, value in enumerate(values):
                if value is not None and value < 0:
                    found[position], values[position] = negative, -value
        parts["event_type"] = found

    def _judge_people(self, parts: dict[str, list[Any]]) -> None:
        if "user_id" in self.columns and any(
            value is not None and value.startswith("anonymous:") for value in parts["user_id"]
        ):
            for position, value in enumerate(parts["user_id"]):
                if value is not None and value.startswith("anonymous:"):
                    detail = "ids that begin with anonymous: are Pathlight's own"
                    self._reject(position, "user_id", "invalid_value", detail)
        if "anonymous_id" in self.columns:
            both = zip(parts["user_id"], parts["anonymous_id"], strict=True)
            parts["user_id"] = [
                f"anonymous:{anonymous}" if user is None and anonymous is not None else user
                for user, anonymous in both
            ]

    def _judge_missing(self, parts: dict[str, list[Any]]) -> None:
        for name in WHO_WHAT_WHEN:
            if None in parts[name]:
                for position, value in enumerate(parts[name]):
                    if value is None:
                        self._reject(position, name, "missing_field", f"it has no {name}")

    def _judge_clocks(self, parts: dict[str, list[Any]]) -> list[int]:
        """The times to store: those of clocks that are ahead are judged one by one."""
        at = list(parts["occurred_at"])
        latest = micros(self.received_at + CLOCK_TOLERANCE)
        for position, moment in enumerate(at):
            if moment is not None and moment > latest and position not in self.wrong:
                raw = {name: parts[name][position] for name in ("event_type", "user_id", "item_id")}
                raw["occurred_at"] = moment / 1_000_000
                judged = read_events(self.domain, [raw], self.received_at, history=True)
                for rejection in judged.rejected:
                    self._reject(position, "occurred_at", rejection["code"], rejection["detail"])
                at[position] = micros(self.received_at)
        return at

    def _reject(self, position: int, name: str, code: str, detail: str) -> None:
        column = self.columns.get(name, "")
        self.wrong.setdefault(position, (name, column, code, detail))


def _rejected(
    file: str, chunk: Chunk, position: int, reason: tuple[str, str, str, str]
) -> RejectedRow:
    name, column, code, detail = reason
    return {
        "file": file,
        "row": chunk.numbers[position],
        "field": name,
        "column": column,
        "code": code,
        "detail": detail,
        "raw": chunk.raw(position),
    }


def broken_row(file: str, row: Broken) -> RejectedRow:
    """What to say of a row that could not be cut into cells."""
    return {
        "file": file,
        "row": row.number,
        "field": "",
        "column": "",
        "code": "not_a_row",
        "detail": row.detail,
        "raw": row.raw[:LONGEST_RAW],
    }
