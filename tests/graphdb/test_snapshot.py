"""The file format: what is written is read back, and whatever was done to it since is named."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from graphdb.snapshot import (
    EDGES,
    EVENTS,
    SnapshotError,
    read_manifest,
    read_snapshot,
    write_snapshot,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)
WAR = {"from_kind": "item", "from": 0, "to_kind": "Genre", "to": None, "node": "War"}


def batch(count: int) -> pa.RecordBatch:
    """`count` events of user 0 on item 0."""
    return pa.RecordBatch.from_pylist(
        [
            {"user": 0, "item": 0, "type": "rated", "at": AT, "value": None}
            | {"weight": 1.0, "seen": True}
            for _ in range(count)
        ],
        schema=EVENTS,
    )


def write(directory: Path, events=(), **given):
    edges = pa.Table.from_pylist([WAR], schema=EDGES)
    return write_snapshot(
        directory,
        users=pa.table({"key": ["k1"]}),
        items=pa.table({"id": ["1"], "title": ["Ran"]}),
        events=events or [batch(2), batch(3)],
        edges={"HAS_GENRE": edges},
        domain="films",
        domain_hash="h",
        cut={"api": 4},
        as_of=AT,
        **given,
    )


def test_what_is_written_is_read_back(tmp_path: Path):
    written = write(tmp_path / "s", weight_cap=2.0, text_encoder="e@1")

    snapshot = read_snapshot(tmp_path / "s")

    assert snapshot.manifest == written
    assert written.counts == {"users": 1, "items": 1, "events": 5, "edges/HAS_GENRE": 1}
    assert (written.id, written.cut, written.as_of, written.weight_cap) == ("s", {"api": 4}, AT, 2)
    assert snapshot.events.schema.equals(EVENTS)
    assert snapshot.events["at"][4].as_py() == AT
    assert snapshot.items["title"].to_pylist() == ["Ran"]
    assert snapshot.edges["HAS_GENRE"].to_pylist() == [WAR]


def test_one_that_is_interrupted_is_never_seen(tmp_path: Path):
    def events():
        yield batch(1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "s", events())

    assert list(tmp_path.iterdir()) == []


def test_one_that_is_there_is_not_overwritten(tmp_path: Path):
    write(tmp_path / "s")

    with pytest.raises(FileExistsError):
        write(tmp_path / "s")

    assert read_snapshot(tmp_path / "s").events.num_rows == 5


@pytest.mark.parametrize("name", ["users.parquet", "events.parquet", "edges/HAS_GENRE.parquet"])
def test_a_file_that_is_missing_or_altered_is_named(tmp_path: Path, name: str):
    write(tmp_path / "s")
    file = tmp_path / "s" / name

    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(SnapshotError, match=rf"{name} is not as it was written"):
        read_snapshot(tmp_path / "s")
    file.unlink()
    with pytest.raises(SnapshotError, match=rf"{name} is missing"):
        read_snapshot(tmp_path / "s")


def test_what_is_no_snapshot_is_one_sentence(tmp_path: Path):
    with pytest.raises(SnapshotError, match=r"is not a snapshot: it has no manifest\.json"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 99}, "schema_version is 99, this program reads 2"),
        ({"cut": None}, "cut: Input should be a valid dictionary"),
        ({"flavour": 1}, "flavour: Extra inputs are not permitted"),
    ],
)
def test_a_manifest_of_another_shape_is_named(tmp_path: Path, change: dict, said: str):
    write(tmp_path / "s")
    path = tmp_path / "s" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(SnapshotError, match=re.escape(said)):
        read_snapshot(tmp_path / "s")


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_manifest_that_is_no_json_object_is_a_sentence(tmp_path: Path, text: str):
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(SnapshotError, match=r"manifest\.json"):
        read_manifest(tmp_path)
