"""What stands in columns: kinds, formats of times, lists in cells, how a file is written."""

import json
from datetime import UTC, datetime

import pytest

from ingest.drafting.profile import profile, tables_in, take_sample
from ingest.errors import DatasetError


@pytest.mark.parametrize(
    ("values", "kind", "unit"),
    [
        (["1", "-2", None], "integer", None),
        ([-3499919498720038879, 9222265156747237864], "integer", None),
        (["1.5", "2"], "number", None),
        (["1465413032", "1465412560"], "integer", "seconds"),
        ([1433221332117, 1433221332118], "integer", "milliseconds"),
        (["2010-12-01 08:26:00"], "time", "iso"),
        (["12/1/2010 8:26", "12/13/2010 9:00"], "time", "%m/%d/%Y %H:%M"),
        (["13/12/2010 8:26", "1/12/2010 9:00"], "time", "%d/%m/%Y %H:%M"),
        (["1/2/2010 8:26", "2/1/2010 8:27", "2/2/2010 8:28"], "time", "%m/%d/%Y %H:%M"),
        ([datetime(2026, 1, 1, tzinfo=UTC)], "time", "iso"),
        (["a", "1"], "text", None),
        ([True, False], "boolean", None),
        ([["a"], []], "list", None),
        ([{"a": 1}], "other", None),
        ([None], "nothing", None),
    ],
)
def test_kinds(values, kind, unit):
    column = profile("c", values)

    assert (column.kind, column.unit) == (kind, unit)


def test_lists_in_cells_are_few_words_in_ever_new_company():
    genres = ["Drama|War", "Drama", "War|Crime", "Crime|Drama", "Crime|War|Drama"] * 20
    countries = ["United Kingdom", "New Zealand", "France"] * 30

    assert profile("genres", genres).separator == "|"
    assert profile("country", countries).separator is None
    assert profile("title", [f"The film {n}, again" for n in range(90)]).separator is None


def test_how_a_file_is_written_is_found_out(tmp_path):
    (tmp_path / "u.data").write_text("1\t2\t5\t881250949\n3\t4\t\\N\t881250950\n")
    (tmp_path / "train.txt").write_text("0 1 2\n1 2\n")
    (tmp_path / "a.csv").write_text("name,n\nx,1\n")

    data = take_sample(tmp_path / "u.data", 100)
    assert data.written == {"header": ["c1", "c2", "c3", "c4"], "nulls": ["", "\\N"]}
    assert (data.columns["c3"].empty, data.rows, data.whole) == (1, 2, True)
    assert take_sample(tmp_path / "train.txt", 100).written == {"format": "lists"}
    assert take_sample(tmp_path / "a.csv", 100).written == {}


def test_a_sample_ends_and_nested_objects_are_columns(tmp_path):
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"a": {"b": n}}) + "\n" for n in range(500))
    )
    sample = take_sample(tmp_path / "a.jsonl", 100)

    assert (sample.rows, sample.whole, sample.columns["a.b"].distinct) == (100, False, 100)


def test_tables_are_files_by_their_names(tmp_path):
    with pytest.raises(DatasetError, match="no file in it is CSV"):
        tables_in(tmp_path)
    for name in ("b.csv", "a.parquet", "c.md", ".d.csv"):
        (tmp_path / name).write_text("")
    assert [path.name for path in tables_in(tmp_path)] == ["a.parquet", "b.csv"]
    with pytest.raises(DatasetError, match="no such file or folder"):
        tables_in(tmp_path / "absent")
