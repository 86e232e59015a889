"""What stands in a file's columns, from a sample: kinds, counts, formats of times, lists in cells.

It looks at names and values and knows no data set; what a column is for, `ingest.drafting.roles`
guesses.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal

from graphdb.file_specs import FileSpec
from ingest.errors import DatasetError
from ingest.tables import coercion
from ingest.tables.delimited import bounded_lines, open_text, sniff_encoding
from ingest.tables.tabular import Table, format_of, open_table

Kind = Literal["integer", "number", "time", "text", "boolean", "list", "nothing", "other"]
NULLS = ("", "NULL", "null", "NA", "N/A", "nan", "NaN", "None", "\\N")
TIME_FORMATS = (
    "iso",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    *(f"{day}{clock}" for day in ("%m/%d/%Y", "%d/%m/%Y") for clock in (" %H:%M:%S", " %H:%M", "")),
    *(f"{day}{clock}" for day in ("%m/%d/%y", "%d/%m/%y") for clock in (" %H:%M", "")),
    *(f"{day}{clock}" for day in ("%d.%m.%Y", "%d-%m-%Y") for clock in (" %H:%M:%S", " %H:%M", "")),
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%m %d, %Y",
)
EPOCHS = {"seconds": (3e8, 4e9), "milliseconds": (3e11, 4e12), "microseconds": (3e14, 4e15)}
LIST_SEPARATORS = ("|", ";", ", ", ",", " ")
JUDGED = 2000
"""Values of a column that are looked at closely."""


@dataclass
class Column:
    """A column of the sample; `unit` is that of its times, if it holds times."""

    name: str
    values: list[Any]
    kind: Kind = "nothing"
    unit: str | None = None
    distinct: int = 0
    empty: int = 0
    mean_length: float = 0.0
    longest: int = 0
    lowest: float | None = None
    separator: str | None = None

    @property
    def given(self) -> int:
        """How many rows have a value."""
        return len(self.values) - self.empty

    @property
    def repeats(self) -> float:
        """Rows for each distinct value."""
        return self.given / max(1, self.distinct)


@dataclass
class Sample:
    """The first rows of one file, and how it is written; `whole` if there are no more."""

    table: Table
    written: dict[str, Any]
    columns: dict[str, Column] = field(default_factory=dict)
    rows: int = 0
    whole: bool = False


def take_sample(path: Path, rows: int) -> Sample:
    """Profile the first rows. Raises DatasetError if the file cannot be read as a table."""
    written = _written(path)
    table = open_table(path, FileSpec(**written))
    sample = Sample(table, {k: v for k, v in written.items() if k != "nulls"})
    values: dict[str, list[Any]] = {name: [] for name in table.names}
    for chunk in table.chunks(table.names, min(rows, 8192)):
        for name, column in chunk.columns.items():
            values[name].extend(column if isinstance(column, list) else _plain(column))
        sample.rows += len(chunk.numbers) + len(chunk.broken)
        if sample.rows >= rows:
            break
    else:
        sample.whole = True
    sample.columns = {name: profile(name, cells) for name, cells in values.items()}
    used = {v for cells in values.values() for v in cells if isinstance(v, str)} & set(NULLS)
    if used:
        sample.written["nulls"] = ["", *sorted(used - {""})]
        for name, cells in values.items():
            bare = [None if isinstance(v, str) and v in used else v for v in cells]
            sample.columns[name] = profile(name, bare)
    return sample


def _plain(column: Any) -> list[Any]:
    return column.to_pylist()


def _written(path: Path) -> dict[str, Any]:
    """What has to be said of a text file so that it is read right."""
    if format_of(path, FileSpec()) != "csv":
        return {}
    with open_text(path, sniff_encoding(path)) as file:
        lines = [line.split() for line in islice(bounded_lines(file), 50) if line.strip()]
    whole = all(cell.isdigit() for cells in lines for cell in cells)
    if whole and len({len(cells) for cells in lines}) > 1:
        return {"format": "lists"}
    written: dict[str, Any] = {}
    first = open_table(path, FileSpec(header=None)).names if lines else []
    if any(_is_data(cell) for cell in first):
        written["header"] = [f"c{n}" for n in range(1, len(first) + 1)]
    return written


def _is_data(cell: str) -> bool:
    """A number or a time: no name of a column."""
    return bool(re.fullmatch(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?", cell)) or bool(
        re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", cell)
    )


def profile(name: str, values: list[Any]) -> Column:
    """Kind, counts and format of a column's values."""
    column = Column(name, values)
    given = [value for value in values if value is not None]
    column.empty = len(values) - len(given)
    if not given:
        return column
    column.kind = _kind(column, given)
    if column.kind in ("list", "other"):
        return column
    texts = [str(value) for value in given]
    column.distinct = len(set(texts))
    lengths = [len(text) for text in texts]
    column.mean_length, column.longest = sum(lengths) / len(lengths), max(lengths)
    if column.kind in ("integer", "number"):
        column.lowest = min(float(value) for value in given)
        column.unit = _epoch(column, [float(value) for value in given])
    if column.kind == "text":
        column.separator = _list_separator(texts)
    return column


def _kind(column: Column, given: list[Any]) -> Kind:
    first = given[0]
    if isinstance(first, list):
        flat = all(isinstance(part, str | int | float) for v in given for part in (v or ()))
        return "list" if flat else "other"
    if isinstance(first, dict | bytes):
        return "other"
    if isinstance(first, bool):
        return "boolean"
    if hasattr(first, "isoformat"):
        column.unit = "iso"
        return "time"
    if all(isinstance(value, int) for value in given):
        return "integer"
    if not coercion.numbers(given)[1]:
        whole = all(re.fullmatch(r"-?\d+", str(value)) for value in given[:JUDGED])
        return "integer" if whole else "number"
    if not all(isinstance(value, str) for value in given):
        return "other"
    column.unit = _time_format(given)
    return "time" if column.unit else "text"


def _time_format(texts: list[str]) -> str | None:
    """The format that reads all of them; of two, that in which more rows follow in time."""
    looked = texts[:JUDGED]
    best: tuple[int, str] | None = None
    for unit in TIME_FORMATS:
        if coercion.times(looked[:5], unit)[1] or coercion.times(texts, unit)[1]:
            continue
        moments = coercion.times(looked, unit)[0]
        ascending = sum(a <= b for a, b in pairwise(moments))
        if best is None or ascending > best[0]:
            best = (ascending, unit)
    return best[1] if best else None


def _epoch(column: Column, given: list[float]) -> str | None:
    """The unit if all numbers are times of the last decades and few are alike."""
    low, high = min(given), max(given)
    return next((u for u, (a, b) in EPOCHS.items() if a <= low and high <= b), None)


def _list_separator(texts: list[str]) -> str | None:
    """What cuts cells into words of a small vocabulary, if anything does."""
    looked = texts[:JUDGED]
    whole = len(set(looked))
    for separator in LIST_SEPARATORS:
        parts = [[p.strip() for p in text.split(separator) if p.strip()] for text in looked]
        words = Counter(part for cell in parts for part in cell)
        most = 60 if separator == " " else 400
        several = sum(len(cell) > 1 for cell in parts) / len(parts)
        # Words come together in ever new ways; names of two words always in the same.
        free = len(words) <= 0.7 * whole
        if (
            free
            and several > 0.2
            and len(words) <= min(most, 0.3 * words.total())
            and _short(words)
        ):
            return separator
    return None


def _short(words: Iterable[str]) -> bool:
    return all(len(word) <= 60 for word in words)


def tables_in(path: Path) -> list[Path]:
    """The file itself, or a folder's files that may be tables. Raises DatasetError without any."""
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    if path.is_file():
        return [path]
    found = sorted(
        file
        for file in path.iterdir()
        if file.is_file() and file.name[0] != "." and format_of(file, FileSpec())
    )
    if not found:
        raise DatasetError(f"{path}: no file in it is CSV, JSON lines or Parquet by its name")
    return found
