"""Splits given as two files: ids are strings, users and items of both files have rows.

    .txt      a user a line: `user item item …`
    .tsv      a header with `user_id`, `item_id`, and perhaps `at`
    .parquet  the same columns

`at` is a number, a timestamp, or ISO 8601 (local without a zone); only the order of times counts,
so their unit does not. Other columns are ignored.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from training.data import Interactions, interactions


class SplitFileError(Exception):
    """A file that cannot be read as a part of a split; the message says what was expected."""


@dataclass(frozen=True)
class SplitFiles:
    """Both parts over the same rows: `user_ids` [U] and `item_ids` [I] in order of appearance."""

    train: Interactions
    test: Interactions
    user_ids: list[str]
    item_ids: list[str]


def read_split_files(train: Path, test: Path) -> SplitFiles:
    """Read both files. Raises SplitFileError."""
    parts = [read_pairs(path) for path in (train, test)]
    for path, part in zip((train, test), parts, strict=True):
        if not len(part):
            raise SplitFileError(f"{path} has no interactions: expected at least one")
    ids, rows = {}, {}
    for name in ("user_id", "item_id"):
        coded = pa.chunked_array([part[name] for part in parts]).combine_chunks()
        coded = coded.dictionary_encode()
        ids[name] = coded.dictionary.to_pylist()
        rows[name] = np.split(np.asarray(coded.indices), [len(parts[0])])
    made = [
        interactions(
            rows["user_id"][place],
            rows["item_id"][place],
            len(ids["user_id"]),
            len(ids["item_id"]),
            at=np.asarray(part["at"]) if "at" in part.column_names else None,
        )
        for place, part in enumerate(parts)
    ]
    return SplitFiles(*made, ids["user_id"], ids["item_id"])


def read_pairs(path: Path) -> pa.Table:
    """`user_id` and `item_id` (string) and, where the file has it, `at` (int64) of one file."""
    if path.suffix not in _READERS:
        raise SplitFileError(f"{path}: expected a file called {', '.join(_READERS)}")
    try:
        table = _READERS[path.suffix](path)
    except (OSError, UnicodeDecodeError, pa.ArrowInvalid) as error:
        raise SplitFileError(f"{path} cannot be read: {error}") from None
    columns = {name: _ids(path, table, name) for name in ("user_id", "item_id")}
    if "at" in table.column_names:
        columns["at"] = _moments(path, table["at"].combine_chunks())
    return pa.table(columns)


def _read_txt(path: Path) -> pa.Table:
    users, items = [], []
    with path.open() as file:
        for line in file:
            user, *theirs = line.split() or [""]
            users += [user] * len(theirs)
            items += theirs
    return pa.table({"user_id": pa.array(users, pa.string()), "item_id": items})


def _read_tsv(path: Path) -> pa.Table:
    # Ids are strings whatever they look like: 007 is not 7.
    return pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={"user_id": pa.string(), "item_id": pa.string()}
        ),
    )


_READERS = {".txt": _read_txt, ".tsv": _read_tsv, ".parquet": pq.read_table}


def _ids(path: Path, table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        raise SplitFileError(
            f"{path} has no column {name!r}: expected user_id, item_id and perhaps at, found"
            f" {', '.join(table.column_names)}"
        )
    column = table[name].combine_chunks()
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py() + 1
        raise SplitFileError(f"{path}, row {row}: {name} is missing")
    return column.cast(pa.string())


def _moments(path: Path, column: pa.Array) -> pa.Array:
    if column.null_count:
        row = pc.index(column.is_null(), True).as_py() + 1
        raise SplitFileError(f"{path}, row {row}: at is missing; leave the column out or fill it")
    try:
        if pa.types.is_string(column.type):
            moments = [datetime.fromisoformat(text) for text in column.to_pylist()]
            column = pa.array([moment.astimezone(UTC) for moment in moments])
        if pa.types.is_floating(column.type):
            column = pa.array(np.asarray(column) * 1e6)
        return column.cast(pa.int64(), safe=False)
    except (pa.ArrowInvalid, ValueError) as error:
        raise SplitFileError(f"{path}: at is not a time: {error}") from None
