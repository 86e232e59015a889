"""Files of items and users as catalogue rows: cells become the types of the domain's fields.

What passes is judged by ingest.catalogue as everything from outside is. Memory is bounded: of a
catalogue the last row of an id counts, saved over the earlier one; an event file that names its
items is remembered by ids only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from graphdb.domain import Domain
from graphdb.file_specs import CatalogueFiles
from graphdb.specs import FieldSpec
from ingest.catalogue import read_items, read_users
from ingest.errors import DatasetError
from ingest.problem import quoted
from ingest.tables import coercion
from ingest.tables.coercion import Coerced
from ingest.tables.event_table import broken_row
from ingest.tables.rejects import RejectedRow
from ingest.tables.tabular import Chunk, Table, open_table

CHUNK_ROWS = 2048
ID_COLUMNS = {"items": ("id", "item_id"), "users": ("id", "user_id")}


@dataclass
class CatalogueBatch:
    """Rows as graphdb.catalogue.catalogue saves them, what was rejected, how many were read."""

    rows: list[dict[str, Any]]
    rejected: list[RejectedRow]
    read: int


@dataclass(frozen=True)
class CatalogueTable:
    """One file of items or users."""

    what: Literal["items", "users"]
    path: Path
    spec: CatalogueFiles

    def __len__(self) -> int:
        """About how many rows, for progress only."""
        return open_table(self.path, self.spec).length

    def batches(self, domain: Domain) -> Iterator[CatalogueBatch]:
        """All rows in order. Raises DatasetError if the file lacks a column or cannot be read."""
        table = open_table(self.path, self.spec)
        columns = _columns(table, self.spec, self._fields(domain), self.what)
        reading = _Reading(self, domain, columns, self._fields(domain))
        wanted = [*columns.values(), *([self.spec.needs] if self.spec.needs else [])]
        for chunk in table.chunks(list(dict.fromkeys(wanted)), CHUNK_ROWS):
            yield reading.batch(chunk)

    def _fields(self, domain: Domain) -> Mapping[str, FieldSpec]:
        return (domain.item if self.what == "items" else domain.user).fields


def _columns(
    table: Table, spec: CatalogueFiles, fields: Mapping[str, FieldSpec], what: str
) -> dict[str, str]:
    known = set(table.names)
    columns = dict(spec.columns) or {name: name for name in fields if name in known}
    ids = [name for name in ID_COLUMNS[what] if name in known]
    if "id" not in columns and ids:
        columns["id"] = ids[0]
    if "id" not in columns:
        raise DatasetError(
            f"{table.path.name}: nothing says which column is the id: name it in [files.{what}]"
        )
    needed = [("needs", spec.needs)] if spec.needs else []
    for name, column in [*columns.items(), *needed]:
        if column not in known and table.format != "jsonl":
            raise DatasetError(
                f"{table.path.name}: expected a column {quoted(column)} for {name};"
                f" it has {quoted(', '.join(table.names), bare=True)}"
            )
    return columns


def coerce_field(column: Any, spec: FieldSpec, split: str, decimal: str) -> Coerced:
    """A column as the type of a field."""
    if spec.type == "strings":
        return coercion.strings(column, split)
    if spec.type == "float":
        return coercion.numbers(column, decimal)
    return {
        "string": coercion.texts,
        "integer": coercion.integers,
        "boolean": coercion.booleans,
    }[spec.type](column)


@dataclass
class _Reading:
    """One file being read; `seen` are the ids of a file of which the first row counts."""

    table: CatalogueTable
    domain: Domain
    columns: dict[str, str]
    fields: Mapping[str, FieldSpec]
    seen: set[int] = field(default_factory=set)

    def batch(self, chunk: Chunk) -> CatalogueBatch:
        file = self.table.path.name
        parts, wrong = self._parts(chunk)
        chosen = self._chosen(chunk, parts, wrong)
        names = [name for name in self.columns if name != "id"]
        raw_rows = [
            {"id": parts["id"][n], "fields": {name: parts[name][n] for name in names}}
            for n in chosen
        ]
        read = read_items if self.table.what == "items" else read_users
        judged = read(self.domain, raw_rows)
        rejected = [self._rejected(chunk, n, *reason) for n, reason in wrong.items()]
        rejected += [
            self._rejected(
                chunk,
                chosen[r["index"]],
                r["field"].removeprefix("fields."),
                r["code"],
                r["detail"],
            )
            for r in judged.rejected
        ]
        rejected += [broken_row(file, row) for row in chunk.broken]
        rejected.sort(key=lambda row: row["row"])
        return CatalogueBatch(judged.rows, rejected, len(chunk.numbers) + len(chunk.broken))

    def _parts(self, chunk: Chunk) -> tuple[dict[str, list[Any]], dict[int, tuple[str, str, str]]]:
        parts, wrong = {}, {}
        for name, column in self.columns.items():
            cells = chunk.columns[column]
            if name == "id":
                parts[name], bad = coercion.identifiers(cells)
            else:
                spec = self.table.spec
                split = spec.splits.get(name, spec.split)
                parts[name], bad = coerce_field(cells, self.fields[name], split, spec.decimal)
            for position, detail in bad.items():
                wrong.setdefault(position, (name, "invalid_value", detail))
        for position, value in enumerate(parts["id"]):
            if value is None and not self.table.spec.first:
                wrong.setdefault(position, ("id", "missing_field", "it has no id"))
        return parts, wrong

    def _chosen(
        self, chunk: Chunk, parts: dict[str, list[Any]], wrong: Mapping[int, Any]
    ) -> list[int]:
        """Positions of the rows that count, one an id, in order."""
        ids = parts["id"]
        valid = [n for n, id in enumerate(ids) if id is not None and n not in wrong]
        if needs := self.table.spec.needs:
            given = coercion.listed(chunk.columns[needs])
            valid = [n for n in valid if given[n] is not None]
        if not self.table.spec.first:
            return sorted({ids[n]: n for n in valid}.values())
        names = [name for name in self.columns if name != "id"]
        chosen = []
        for n in valid:
            key = hash(ids[n])  # eight bytes an item, not its name
            if key not in self.seen and any(parts[name][n] is not None for name in names):
                self.seen.add(key)
                chosen.append(n)
        return chosen

    def _rejected(
        self, chunk: Chunk, position: int, name: str, code: str, detail: str
    ) -> RejectedRow:
        return {
            "file": self.table.path.name,
            "row": chunk.numbers[position],
            "field": name,
            "column": self.columns.get(name, ""),
            "code": code,
            "detail": detail,
            "raw": chunk.raw(position),
        }
