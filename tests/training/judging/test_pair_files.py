"""Pairs that a file lists, and files that list none."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.judging.pair_files import PairFileError, read_pairs

USERS, ITEMS = ["7", "u2", "u3"], ["a", "12", "c"]


def written(path: Path) -> Path:
    """Two pairs and a column that nobody asks for, as the name's ending says."""
    columns = {"note": [1, 2], "item": ["12", "a"], "user": ["7", "u3"]}
    if path.suffix == ".parquet":
        pq.write_table(pa.table(columns), path)
    else:
        between = {".csv": ",", ".tsv": "\t"}[path.suffix]
        rows = [columns, *zip(*columns.values(), strict=True)]
        path.write_text("".join(between.join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("name", ["pairs.csv", "pairs.tsv", "pairs.parquet"])
def test_pairs_are_rows_of_the_snapshot_in_the_files_order(name, tmp_path):
    users, items = read_pairs(written(tmp_path / name), USERS, ITEMS)

    assert (users.tolist(), items.tolist()) == ([0, 2], [1, 0])


@pytest.mark.parametrize(
    ("keys", "ids", "sentence"),
    [
        (["7", "u2"], ITEMS, r"pairs.csv, row 2: user 'u3' is not in the snapshot"),
        (USERS, ["a"], r"pairs.csv, row 1: item '12' is not in the snapshot"),
    ],
)
def test_who_is_not_in_the_snapshot_is_named_with_the_row(keys, ids, sentence, tmp_path):
    with pytest.raises(PairFileError, match=sentence):
        read_pairs(written(tmp_path / "pairs.csv"), keys, ids)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("pairs.txt", "user item", "ends in .parquet, .csv or .tsv"),
        ("pairs.csv", "user,thing\n7,a\n", r"has no column 'item', only user, thing"),
        ("pairs.csv", "", "cannot be read"),
        ("pairs.parquet", "user,item\n", "cannot be read"),
        ("pairs.csv", "user,item\n7\n", "cannot be read"),
    ],
)
def test_a_file_of_no_pairs_is_refused_by_name(name, content, sentence, tmp_path):
    (tmp_path / name).write_text(content)

    with pytest.raises(PairFileError, match=sentence):
        read_pairs(tmp_path / name, USERS, ITEMS)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(PairFileError, match="there is no file"):
        read_pairs(tmp_path / "pairs.csv", USERS, ITEMS)
