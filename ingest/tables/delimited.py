"""Lines and records of text files: encodings, separators, quotes, and rows that are broken.

Knows how text is cut into cells and keeps going after whatever it cannot cut; what the cells mean
it does not know. Bytes that are not of the encoding become lone surrogates, which no check of a
cell lets through.
"""

import codecs
import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from ingest.errors import DatasetError

SEPARATORS = (",", "\t", ";", "|", "::", " ")
LONGEST_CELL = 131_072
BLOCK_CHARACTERS = 1 << 20
LONGEST_LINE = 4 * LONGEST_CELL
"""A line is cut there: a file without line ends does not fill the memory."""
MOST_LINES = 100
"""Of one record: a quote that is not closed by then is broken."""
SNIFFED_BYTES = 262_144
SNIFFED_LINES = 200

Record = tuple[int, list[str] | None, str]
"""The line where it starts, its cells or None, and if None what is wrong with it."""


@dataclass(frozen=True)
class Dialect:
    """How a text file is written."""

    encoding: str
    separator: str
    quote: str


def open_text(path: Path, encoding: str) -> IO[str]:
    """The file's text, unzipped if its name ends in .gz. Raises DatasetError."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        return opened(path, "rt", encoding=encoding, errors="surrogateescape")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from None


def sniff_encoding(path: Path) -> str:
    """From the beginning of the file: its byte order mark, else UTF-8 if it is, else cp1252."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            start = file.read(SNIFFED_BYTES)
    except (OSError, EOFError) as error:
        raise DatasetError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def sniff(path: Path, separator: str | None, quote: str, encoding: str | None) -> Dialect:
    """What is not stated is found out from the first lines."""
    encoding = encoding or sniff_encoding(path)
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    with open_text(path, encoding) as file:
        lines = [line for line in islice(bounded_lines(file), SNIFFED_LINES) if line.strip()]
    return Dialect(encoding, separator or _separator(lines, quote), quote)


def _separator(lines: list[str], quote: str) -> str:
    """That which cuts most lines into the same number of cells, more cells before fewer."""

    def regularity(separator: str) -> tuple[float, int]:
        widths = Counter(len(cells) for _, cells, _ in split(lines, separator, quote) if cells)
        width, often = max(widths.items(), key=lambda pair: pair[1], default=(1, 0))
        # A space is in every title: it counts only where nothing else cuts.
        share = often / max(1, widths.total())
        return (round(share, 1) - 0.5 * (separator == " ") if width > 1 else 0.0, width)

    return max(SEPARATORS, key=regularity) if lines else ","


def bounded_lines(file: IO[str]) -> Iterator[str]:
    """Lines with their ends; one that is longer than LONGEST_LINE comes in pieces."""
    rest = ""
    while block := file.read(BLOCK_CHARACTERS):
        lines = (rest + block).split("\n")
        rest = lines.pop()
        for line in lines:
            yield line + "\n"
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = ""
    if rest:
        yield rest


def split_blocks(
    lines: Iterator[str], separator: str, quote: str, size: int
) -> Iterator[list[Record]]:
    """As `split`, up to `size` records at once, and much faster where no record is odd."""
    source, width, first = _Lines(lines), 0, 1
    while block := source.take(size):
        rows = _plain_rows(block, separator, quote, width)
        if rows:
            width = len(rows[0])
            yield [(line, cells, "") for line, cells in enumerate(rows, first)]
        else:
            source.put_back(block)
            records = list(islice(split(source, separator, quote, width), size))
            width = width or next((len(cells) for _, cells, _ in records if cells), 0)
            if records:
                yield records
        first = source.number + 1


def _plain_rows(block: list[str], separator: str, quote: str, width: int) -> list[list[str]]:
    """A record a line, all of one width; nothing if it is not so."""
    if len(separator) > 1:
        rows = [line.rstrip("\n").split(separator) for line in block]
    else:
        try:
            rows = list(csv.reader(block, **_settings(separator, quote)))
        except csv.Error:
            return []
    width = width or len(rows[0])
    regular = len(rows) == len(block) and set(map(len, rows)) == {width}
    # A quote that the last line opens is closed by none of these.
    return rows if regular and width and "\n" not in rows[-1][-1] else []


def _settings(separator: str, quote: str) -> dict[str, Any]:
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    return {"delimiter": separator, "quotechar": quote or None, "quoting": quoting}


def split(
    lines: Iterator[str] | list[str], separator: str, quote: str, width: int = 0
) -> Iterator[Record]:
    """Records in order; blank lines are none.

    A record that runs over several lines and is not as wide as the first, or `width`, is taken for
    an unclosed quote: its first line alone is broken, and reading goes on with the second.
    """
    source = lines if isinstance(lines, _Lines) else _Lines(lines)
    if len(separator) > 1:
        yield from _split_plainly(source, separator)
        return
    settings = _settings(separator, quote)
    reader = csv.reader(source, **settings)
    while True:
        first = source.number + 1
        source.taken.clear()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reader = csv.reader(source, **settings)
            yield first, None, _words(error)
            source.push_back()
            continue
        if cells is None:
            return
        if len(source.taken) > 1 and width and len(cells) != width:
            yield first, None, "a quote is opened and not closed"
            source.push_back()
            reader = csv.reader(source, **settings)
            continue
        width = width or len(cells)
        if cells:
            yield first, cells, ""


def _split_plainly(source: "_Lines", separator: str) -> Iterator[Record]:
    for line in source:
        source.taken.clear()
        if text := line.rstrip("\r\n"):
            yield source.number, text.split(separator), ""


def _words(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell is longer than {LONGEST_CELL} characters, or a quote is not closed"
    return str(error)


class _Lines:
    """Lines, numbered from 1, of which all but the first of a record can be put back."""

    def __init__(self, lines: Iterator[str] | list[str]) -> None:
        self._lines = iter(lines)
        self._again: list[str] = []
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) == MOST_LINES:
            raise csv.Error("a quote is opened and not closed")
        line = self._again.pop() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def take(self, count: int) -> list[str]:
        """Up to so many lines at once."""
        if self._again:
            self.taken.clear()
            taken = [next(self) for _ in range(min(count, len(self._again), MOST_LINES))]
        else:
            taken = list(islice(self._lines, count))
            self.number += len(taken)
        self.taken.clear()
        return taken

    def put_back(self, block: list[str]) -> None:
        """What `take` gave, to be read line by line."""
        self._again.extend(reversed(block))
        self.number -= len(block)

    def push_back(self) -> None:
        """All lines of this record but its first."""
        behind = self.taken[1:]
        self._again.extend(reversed(behind))
        self.number -= len(behind)
        self.taken.clear()
