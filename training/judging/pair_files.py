"""A file that lists pairs of people and items, as rows of a snapshot: the test part of a split that
somebody else has made.

`.parquet`, or `.csv` and `.tsv` with a header; the columns `user` (the snapshot's key) and `item`
(its id), others are ignored. It knows files and keys, not what the pairs are for.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from training.errors import TrainingError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
COLUMNS = ("user", "item")


class PairFileError(TrainingError):
    """A file of pairs that is not one, or that names what the snapshot does not have."""


def read_pairs(
    path: Path, user_keys: Sequence[str], item_ids: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the users and of the items listed, int64 [N] each.

    Raises PairFileError naming the file, the row (the first below the header is 1) and the value.
    """
    table = _read(path)
    users, items = (
        _rows(path, table[name], name, known)
        for name, known in zip(COLUMNS, (user_keys, item_ids), strict=True)
    )
    return users, items


def _read(path: Path) -> pa.Table:
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        elif path.suffix in DELIMITERS:
            # As text whatever it looks like: ids may be numbers.
            text = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()))
            options = csv.ParseOptions(delimiter=DELIMITERS[path.suffix])
            table = csv.read_csv(path, parse_options=options, convert_options=text)
        else:
            raise PairFileError(f"{path}: expected a name that ends in .parquet, .csv or .tsv")
    except FileNotFoundError:
        raise PairFileError(f"there is no file {path}") from None
    except pa.ArrowInvalid as error:
        raise PairFileError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None
    for name in COLUMNS:
        if name not in table.column_names:
            there = ", ".join(table.column_names)
            raise PairFileError(f"{path} has no column {name!r}, only {there}")
    return table


def _rows(path: Path, column: pa.ChunkedArray, name: str, known: Sequence[str]) -> np.ndarray:
    place = {value: row for row, value in enumerate(known)}
    found = np.array([place.get(str(value), -1) for value in column.to_pylist()], np.int64)
    if (found < 0).any():
        row = int(np.argmin(found))
        raise PairFileError(
            f"{path}, row {row + 1}: {name} {column[row].as_py()!r} is not in the snapshot"
        )
    return found
