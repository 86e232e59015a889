"""Rejected rows: counted by reason, and written as JSON lines once there is one."""

import json

import pytest

from ingest.errors import DatasetError
from ingest.tables.rejects import RejectedRow, Rejects

ROW = RejectedRow(
    file="t.csv",
    row=3,
    field="value",
    column="Qty",
    code="invalid_value",
    detail="no",
    raw={"Qty": "x"},
)


def test_rows_are_written_and_counted(tmp_path):
    with Rejects(tmp_path / "sub" / "t.jsonl") as rejects:
        rejects.add([ROW, {**ROW, "row": 4}])

    lines = (tmp_path / "sub" / "t.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in lines] == [3, 4]
    assert (rejects.total, rejects.summary()) == (
        2,
        [{"file": "t.csv", "field": "value", "code": "invalid_value", "rows": 2}],
    )


def test_without_rejects_there_is_no_file_and_an_old_one_goes(tmp_path):
    (tmp_path / "t.jsonl").write_text("old")
    with Rejects(tmp_path / "t.jsonl"):
        pass
    assert not (tmp_path / "t.jsonl").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DatasetError, match="file"),
        Rejects(tmp_path / "file" / "t.jsonl") as rejects,
    ):
        rejects.add([ROW])
