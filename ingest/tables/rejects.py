"""Rows of files that were not taken: what one says, and the file that they are written to.

JSON lines, a row each: file, row (0 is the first row of data), field, column, code, detail, raw.
"""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Self, TypedDict

from ingest.errors import DatasetError


class RejectedRow(TypedDict):
    """Why one row of a file was not taken; `raw` is the row as the file has it."""

    file: str
    row: int
    field: str
    column: str
    code: str
    detail: str
    raw: Any


class Rejects:
    """Counts rejected rows by code and field, and writes them to `path` once there is one.

    A file that lies there from an earlier run is replaced; without rejects there is none.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        if self.path is not None:
            try:
                self.path.unlink(missing_ok=True)
            except OSError as error:
                raise DatasetError(f"{self.path}: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def total(self) -> int:
        """How many rows were rejected."""
        return self.counts.total()

    def add(self, rows: Iterable[RejectedRow]) -> None:
        """Count them, and write them down."""
        for row in rows:
            self.counts[row["file"], row["field"], row["code"]] += 1
            if self.path is not None:
                if self._file is None:
                    self._file = self._open(self.path)
                self._file.write(json.dumps(row, default=str) + "\n")

    @staticmethod
    def _open(path: Path) -> IO[str]:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open("w", encoding="utf-8")
        except OSError as error:
            raise DatasetError(f"{path}: {error.strerror}") from None

    def summary(self) -> list[dict[str, Any]]:
        """Rows by reason, most first."""
        return [
            {"file": file, "field": field, "code": code, "rows": rows}
            for (file, field, code), rows in self.counts.most_common()
        ]
