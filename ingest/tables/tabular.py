"""Tables in files: CSV, JSON lines, Parquet and `user item item …` lists, in chunks of columns.

Every row has a number that is the same whenever the file is read: where an import goes on after
it died. Memory is bounded by a chunk, whatever the file's length. What the columns mean it does
not know.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphdb.file_specs import FileFormat, FileSpec
from ingest.errors import DatasetError
from ingest.tables.delimited import (
    SNIFFED_LINES,
    Record,
    bounded_lines,
    open_text,
    sniff,
    sniff_encoding,
    split_blocks,
)

if TYPE_CHECKING:
    import pyarrow.parquet as pq

CHUNK_ROWS = 10_000
SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".dat": "csv",
    ".data": "csv",
    ".txt": "csv",
    ".inter": "csv",
    ".item": "csv",
    ".user": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


@dataclass(frozen=True)
class Broken:
    """A row that could not be cut into cells: its number, why, and its text."""

    number: int
    detail: str
    raw: str


@dataclass
class Chunk:
    """Rows as columns: `columns[name][n]` is row `numbers[n]`.

    A column is a list of what the file holds, or a pyarrow array (Parquet).
    """

    numbers: list[int]
    columns: dict[str, Any]
    broken: list[Broken] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The last row number that this chunk accounts for."""
        return max(self.numbers[-1:] + [row.number for row in self.broken])

    def raw(self, position: int) -> dict[str, Any]:
        """One row as the file has it."""
        row = {name: column[position] for name, column in self.columns.items()}
        return {name: v.as_py() if hasattr(v, "as_py") else v for name, v in row.items()}


@dataclass(frozen=True)
class Table:
    """One file: its format and the names of its columns. Build with `open_table`."""

    path: Path
    spec: FileSpec
    format: FileFormat
    names: list[str]

    @property
    def length(self) -> int:
        """How many rows; for text about how many: the lines of its first megabyte, extended."""
        if self.format == "parquet":
            with _parquet(self.path) as file:
                return file.metadata.num_rows
        with open_text(self.path, "latin-1") as text:
            start = text.read(1 << 20)
        marks = start.count(" ") if self.format == "lists" else start.count("\n")
        size = self.path.stat().st_size
        return max(1, marks if size <= len(start) else marks * size // len(start))

    def chunks(self, wanted: list[str], size: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """The wanted columns in order; row 0 is the first row of data.

        JSON lines may be asked for `a.b`: field b of the object in a. A missing one is None.
        """
        chunks = {
            "csv": _csv_chunks,
            "jsonl": _json_chunks,
            "parquet": _parquet_chunks,
            "lists": _list_chunks,
        }[self.format]
        yield from chunks(self, wanted, size)


def format_of(path: Path, spec: FileSpec) -> FileFormat | None:
    """What is stated, or what the name's ending says; None for no table."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix != ".gz"]
    return spec.format or (SUFFIXES.get(suffixes[-1]) if suffixes else None)


def open_table(path: Path, spec: FileSpec) -> Table:
    """Look at a file's beginning. Raises DatasetError naming it, and what was expected."""
    kind = format_of(path, spec)
    if not path.is_file():
        raise DatasetError(f"{path}: there is no such file")
    if kind is None:
        known = ", ".join(SUFFIXES)
        raise DatasetError(f"{path.name}: its ending says no format that is known: {known}")
    if not path.stat().st_size:
        raise DatasetError(f"{path.name} is empty")
    names = {
        "csv": _csv_names,
        "jsonl": _json_names,
        "parquet": _parquet_names,
        "lists": lambda *_: ["user_id", "item_id"],
    }[kind](path, spec)
    if twice := {name for name in names if names.count(name) > 1}:
        raise DatasetError(f"{path.name}: two columns are called {min(twice)!r}")
    return Table(path, spec, kind, names)


def _blocks(path: Path, spec: FileSpec, size: int) -> Iterator[list[Record]]:
    dialect = sniff(path, spec.separator, spec.quote, spec.encoding)
    with open_text(path, dialect.encoding) as file:
        yield from split_blocks(bounded_lines(file), dialect.separator, dialect.quote, size)


def _csv_names(path: Path, spec: FileSpec) -> list[str]:
    _, cells, detail = _first_record(path, spec) or (0, None, "it holds no line with text")
    if cells is None:
        raise DatasetError(f"{path.name}, line 1: {detail}")
    if spec.header is None:
        return [cell.strip() for cell in cells]
    if len(cells) != len(spec.header):
        raise DatasetError(
            f"{path.name}, line 1: expected {len(spec.header)} columns ({', '.join(spec.header)}),"
            f" found {len(cells)}"
        )
    return list(spec.header)


def _first_record(path: Path, spec: FileSpec) -> Record | None:
    return next((records[0] for records in _blocks(path, spec, SNIFFED_LINES)), None)


def _csv_chunks(table: Table, wanted: list[str], size: int) -> Iterator[Chunk]:
    width, nulls = len(table.names), set(table.spec.nulls)
    places = [(name, table.names.index(name)) for name in wanted]
    start, skip = 0, table.spec.header is None
    for records in _blocks(table.path, table.spec, size):
        batch = list(enumerate(records[1:] if skip else records, start))
        start, skip = start + len(batch), False
        whole = [(n, cells) for n, (_, cells, _) in batch if cells and len(cells) == width]
        broken = [] if len(whole) == len(batch) else _broken_records(batch, width)
        columns = list(zip(*(cells for _, cells in whole), strict=True)) or [()] * width
        if batch:
            yield Chunk(
                [n for n, _ in whole],
                {name: _without_nulls(columns[at], nulls) for name, at in places},
                broken,
            )


def _without_nulls(cells: Sequence[str], nulls: set[str]) -> list[str | None]:
    if nulls.isdisjoint(cells):
        return list(cells)
    return [None if cell in nulls else cell for cell in cells]


def _broken_records(batch: list[Any], width: int) -> list[Broken]:
    rows = []
    for number, (line, cells, detail) in batch:
        if cells is None:
            rows.append(Broken(number, f"line {line}: {detail}", ""))
        elif len(cells) != width:
            said = f"line {line}: expected {width} columns, found {len(cells)}"
            rows.append(Broken(number, said, ",".join(cells)))
    return rows


def _json_lines(path: Path, spec: FileSpec) -> Iterator[tuple[int, str]]:
    encoding = spec.encoding or sniff_encoding(path)
    with open_text(path, "utf-8-sig" if encoding in ("utf-8", "cp1252") else encoding) as file:
        for number, line in enumerate(bounded_lines(file), 1):
            if line.strip():
                yield number, line


def _json_names(path: Path, spec: FileSpec) -> list[str]:
    """The fields of the first lines' objects, nested ones with a dot."""
    names: dict[str, None] = {}
    for position, (_, line) in enumerate(islice(_json_lines(path, spec), 200)):
        if not position and line.lstrip().startswith("["):
            raise DatasetError(f"{path.name}: expected one JSON object a line, found a list")
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            names.update(dict.fromkeys(_paths(value)))
    if not names:
        raise DatasetError(f"{path.name}: expected one JSON object a line, found none")
    return list(names)


def _paths(value: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and prefix.count(".") < 2:
            yield from _paths(inner, f"{prefix}{name}.")
        yield prefix + name


def _json_chunks(table: Table, wanted: list[str], size: int) -> Iterator[Chunk]:
    lines = enumerate(_json_lines(table.path, table.spec))
    nulls = set(table.spec.nulls)
    while batch := list(islice(lines, size)):
        numbers, values, broken = [], [], []
        for number, (line, text) in batch:
            try:
                value = json.loads(text)
                if not isinstance(value, dict):
                    raise ValueError("expected a JSON object")
            except (ValueError, RecursionError) as error:
                broken.append(Broken(number, f"line {line}: {error}", text))
                continue
            numbers.append(number)
            values.append(value)
        columns = {name: [_at(value, name, nulls) for value in values] for name in wanted}
        yield Chunk(numbers, columns, broken)


def _at(value: dict[str, Any], name: str, nulls: set[str]) -> Any:
    if name in value:
        found: Any = value[name]
    else:
        found = value
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return None if isinstance(found, str) and found in nulls else found


def _parquet(path: Path) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0][:120]
        raise DatasetError(f"{path.name} cannot be read as Parquet: {first}") from None


def _parquet_names(path: Path, _: FileSpec) -> list[str]:
    with _parquet(path) as file:
        return file.schema_arrow.names


def _parquet_chunks(table: Table, wanted: list[str], size: int) -> Iterator[Chunk]:
    import pyarrow as pa

    start = 0
    with _parquet(table.path) as file:
        # A row group need not fit into the memory: pages are read as they come.
        batches = file.iter_batches(size, columns=wanted or file.schema_arrow.names[:1])
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                detail = f"row {start}: {str(error).splitlines()[0][:120]}"
                raise DatasetError(f"{table.path.name}, {detail}") from None
            if batch is None:
                return
            columns = {name: _plain(batch.column(name), table.spec) for name in wanted}
            numbers = list(range(start, start + batch.num_rows))
            yield Chunk(numbers, columns)
            start += batch.num_rows


def _plain(column: Any, spec: FileSpec) -> Any:
    """Text as a list with None for what means no value; the rest stays an array."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    nulls = set(spec.nulls)
    return [None if cell in nulls else cell for cell in column.to_pylist()]


def _list_chunks(table: Table, wanted: list[str], size: int) -> Iterator[Chunk]:
    """A row for each item of a line; a line without items is none."""
    pairs = enumerate(_pairs(table.path, table.spec))
    while batch := list(islice(pairs, size)):
        columns = {
            "user_id": [user for _, (user, _) in batch],
            "item_id": [item for _, (_, item) in batch],
        }
        yield Chunk([n for n, _ in batch], {name: columns[name] for name in wanted})


def _pairs(path: Path, spec: FileSpec) -> Iterator[tuple[str, str]]:
    with open_text(path, spec.encoding or sniff_encoding(path)) as file:
        for line in file:
            cells = line.split()
            for item in cells[1:]:
                yield cells[0], item
