"""Tables in files: the same rows and numbers whatever the format, the chunk, or the broken row."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graphdb.file_specs import FileSpec
from ingest.errors import DatasetError
from ingest.tables.tabular import open_table

ROWS = [("u1", "i1", "3"), ("u2", "i2", "4"), ("u3", "i1", "5")]
NAMES = ["user", "item", "stars"]


def written(folder, kind):
    path = folder / f"t.{kind}"
    if kind == "csv":
        path.write_text("user,item,stars\n" + "".join(",".join(row) + "\n" for row in ROWS))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(dict(zip(NAMES, r, strict=True))) + "\n" for r in ROWS))
    else:
        pq.write_table(pa.table(dict(zip(NAMES, zip(*ROWS, strict=True), strict=True))), path)
    return path


def rows_of(path, spec=None, size=2, names=None):
    table = open_table(path, spec or FileSpec())
    found, broken = {}, {}
    for chunk in table.chunks(names or table.names, size):
        broken |= {row.number: row.detail for row in chunk.broken}
        found |= {number: tuple(chunk.raw(n).values()) for n, number in enumerate(chunk.numbers)}
        assert chunk.end == max([*chunk.numbers, *(row.number for row in chunk.broken)])
    return found, broken


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_same_rows(tmp_path, kind, size):
    assert rows_of(written(tmp_path, kind), size=size) == (dict(enumerate(ROWS)), {})
    assert open_table(written(tmp_path, kind), FileSpec()).length in (3, 4)


def test_ragged_rows_are_broken_and_keep_their_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3\n4,5,6\n7,8\n")
    found, broken = rows_of(tmp_path / "t.csv")

    assert found == {0: ("1", "2"), 3: ("7", "8")}
    assert broken == {
        1: "line 3: expected 2 columns, found 1",
        2: "line 4: expected 2 columns, found 3",
    }


def test_lines_that_are_no_objects_are_broken(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": {"b": [1]}}\n{oops\n\n[1]\n{"a": 2}\n')
    found, broken = rows_of(tmp_path / "t.jsonl", names=["a.b"])

    assert found == {0: ([1],), 3: (None,)}
    assert sorted(broken) == [1, 2]


def test_lists_have_a_row_for_each_item(tmp_path):
    (tmp_path / "train.txt").write_text("0 1 2\n1\n\n2 1\n")
    found, _ = rows_of(tmp_path / "train.txt", FileSpec(format="lists"))

    assert found == {0: ("0", "1"), 1: ("0", "2"), 2: ("2", "1")}


def test_files_without_header_and_with_nulls(tmp_path):
    (tmp_path / "u.data").write_text("1\t2\tNA\n3\t4\t5\n")
    spec = FileSpec(header=("user", "item", "stars"), nulls=("", "NA"))

    assert rows_of(tmp_path / "u.data", spec)[0] == {0: ("1", "2", None), 1: ("3", "4", "5")}


@pytest.mark.parametrize(
    ("name", "content", "spec", "said"),
    [
        ("t.csv", "", {}, "t.csv is empty"),
        ("t.csv", "\n\n", {}, "t.csv, line 1: it holds no line with text"),
        ("t.xlsx", "x", {}, "t.xlsx: its ending says no format that is known"),
        ("t.csv", "a,a\n1,2\n", {}, "t.csv: two columns are called 'a'"),
        ("t.csv", "1,2\n", {"header": ("a",)}, r"expected 1 columns \(a\), found 2"),
        ("t.parquet", "PAR1 not", {}, "t.parquet cannot be read as Parquet"),
        ("t.json", '[{"a": 1}]', {}, "t.json: expected one JSON object a line, found a list"),
        ("t.jsonl", "oops\n", {}, "t.jsonl: expected one JSON object a line, found none"),
    ],
)
def test_a_file_that_is_no_table_is_told_in_a_sentence(tmp_path, name, content, spec, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(DatasetError, match=said):
        open_table(tmp_path / name, FileSpec(**spec))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match="there is no such file"):
        open_table(tmp_path / "absent.csv", FileSpec())
