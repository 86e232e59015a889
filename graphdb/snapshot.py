"""The snapshot's file format: a directory of Parquet files and a manifest that proves them.

It knows files and columns only: no driver, no Cypher, no domain. Whoever trains reads this and
nothing else of graphdb, so a machine with a GPU needs neither the database nor its driver.

    manifest.json        see Manifest
    users.parquet        key (random, never the person's id) and feature columns
    items.parquet        id, text, text_vector (list<float>, null without text) and feature columns
    events.parquet       user, item (int32 rows of the two tables), type, at, value, weight, seen;
                         ordered by user, then time
    edges/<TYPE>.parquet one row an edge of the knowledge graph, see EDGES
    members.parquet      whose events each user's are, and how many changes they had seen: what a
                         later snapshot needs to read only what changed, see MEMBERS
"""

import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

SCHEMA_VERSION = 2

EVENTS = pa.schema(
    [
        pa.field("user", pa.int32(), nullable=False),
        pa.field("item", pa.int32(), nullable=False),
        pa.field("type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
        pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("value", pa.float64()),
        pa.field("weight", pa.float32(), nullable=False),
        pa.field("seen", pa.bool_(), nullable=False),
    ]
)
"""`weight` is the event's resolved weight at `as_of`: signed, decayed, never NaN."""

KIND = pa.dictionary(pa.int8(), pa.string())

EDGES = pa.schema(
    [
        pa.field("from_kind", KIND, nullable=False),
        pa.field("from", pa.int32(), nullable=False),
        pa.field("to_kind", KIND, nullable=False),
        pa.field("to", pa.int32()),
        pa.field("node", pa.string()),
    ]
)
"""`from` is a row of users or items, as `from_kind` ("user", "item") says. `to` is one as well, or
null where `to_kind` is an attribute's label: then `node` is the attribute's id."""

MEMBERS = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("user", pa.int32(), nullable=False),
        pa.field("event_count", pa.int64(), nullable=False),
        pa.field("removed_count", pa.int64(), nullable=False),
    ]
)
"""Everybody whose events are some user's (himself, and who was joined with him), in the users'
order; `event_count` is -1 where the graph held events that the snapshot leaves out."""

ROW_GROUP = 131_072
"""Events written at a time: equal events are equal files, however they arrived."""


class SnapshotError(Exception):
    """A snapshot that is missing, incomplete, altered, or of another schema version."""


class Manifest(BaseModel):
    """What a snapshot holds and as of when.

    `cut` is, for each source of events, the last sequence number inside; "newer than this
    snapshot" means beyond it, never a comparison of clocks. `as_of` is what events' ages are
    counted to; `received_by`, if set, the time by which events had come in to be inside.
    `catalogue_at`: when users' fields, items and edges were read, whatever `as_of` says. `since`
    is the snapshot that unchanged people were taken from, `since_refused` why one that was asked
    for could not serve. `weight_cap` bounds the summed weight of one user and item on both sides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    id: str
    domain: str
    domain_hash: str
    as_of: datetime
    received_by: datetime | None = None
    catalogue_at: datetime
    since: str | None = None
    since_refused: str | None = None
    cut: dict[str, int]
    counts: dict[str, int]
    text_encoder: str | None = None
    weight_cap: float = 1.0
    files: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A snapshot read whole: `manifest` and its tables (columns as in the module's docstring)."""

    manifest: Manifest
    users: pa.Table
    items: pa.Table
    events: pa.Table
    edges: Mapping[str, pa.Table]


class SnapshotWriter:
    """A snapshot being built beside `directory`: seen whole under its name, or not at all.

    Tables are written as they come and hashed on their way; events of any number are held a row
    group at a time. `finish` writes the manifest, `publish` gives the directory its name.
    """

    def __init__(self, directory: Path) -> None:
        """Raises FileExistsError when `directory` is there already."""
        if directory.exists():
            raise FileExistsError(directory)
        self.directory = directory
        self.building = directory.with_name(f".{directory.name}.{uuid4().hex[:8]}")
        (self.building / "edges").mkdir(parents=True)
        self.counts: dict[str, int] = {}
        self._hashes: dict[str, str] = {}

    def write(self, name: str, table: pa.Table) -> None:
        """Write a whole table; `name` is its file's without the ending."""
        self.write_batches(name, table.schema, table.to_batches())

    def write_batches(
        self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> None:
        """Write a table as it comes, in row groups of ROW_GROUP whatever the batches' sizes."""
        rows = 0
        with (
            _HashedFile(self.building / f"{name}.parquet") as file,
            pq.ParquetWriter(file, schema) as writer,
        ):
            for table in _regrouped(schema, batches):
                writer.write_table(table, row_group_size=ROW_GROUP)
                rows += table.num_rows
        self.counts[name] = rows
        self._hashes[f"{name}.parquet"] = file.hexdigest

    def finish(self, **described: Any) -> Manifest:
        """Write the manifest; `described` are those of its fields that the files do not tell."""
        manifest = Manifest(
            id=self.directory.name,
            counts={name: rows for name, rows in self.counts.items() if name != "members"},
            files=dict(sorted(self._hashes.items())),
            **described,
        )
        (self.building / "manifest.json").write_text(manifest.model_dump_json(indent=2))
        return manifest

    def publish(self) -> None:
        """Give the finished snapshot its name."""
        self.building.rename(self.directory)

    def discard(self) -> None:
        """Remove what was built."""
        shutil.rmtree(self.building, ignore_errors=True)


def write_snapshot(
    directory: Path,
    *,
    users: pa.Table,
    items: pa.Table,
    events: Iterable[pa.RecordBatch],
    edges: Mapping[str, pa.Table],
    domain: str,
    domain_hash: str,
    cut: Mapping[str, int],
    as_of: datetime | None = None,
    text_encoder: str | None = None,
    weight_cap: float = 1.0,
) -> Manifest:
    """Write a snapshot from tables that are there, each user one member.

    Raises FileExistsError when `directory` is there already.
    """
    writer = SnapshotWriter(directory)
    now = datetime.now(UTC)
    try:
        writer.write("users", users)
        writer.write("items", items)
        writer.write_batches("events", EVENTS, events)
        for name, table in edges.items():
            writer.write(f"edges/{name}", table.cast(EDGES))
        writer.write("members", _unchangeable(users["key"]))
        manifest = writer.finish(
            domain=domain,
            domain_hash=domain_hash,
            as_of=as_of or now,
            catalogue_at=as_of or now,
            cut=dict(cut),
            text_encoder=text_encoder,
            weight_cap=weight_cap,
        )
        writer.publish()
    except BaseException:
        writer.discard()
        raise
    return manifest


def _unchangeable(keys: pa.ChunkedArray) -> pa.Table:
    """Members of which no later snapshot takes anything over."""
    rows = pa.array(range(len(keys)), pa.int32())
    nothing = pa.array([-1] * len(keys), pa.int64())
    return pa.table([keys.cast(pa.string()), rows, nothing, nothing], schema=MEMBERS)


def _regrouped(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= ROW_GROUP:
            whole = pa.Table.from_batches(held, schema)
            full = rows - rows % ROW_GROUP
            yield whole.slice(0, full).combine_chunks()
            held = whole.slice(full).combine_chunks().to_batches()
            rows -= full
    yield pa.Table.from_batches(held, schema).combine_chunks()


class _HashedFile(io.RawIOBase):
    """A new file whose sha256 is known once it is written."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._hash = hashlib.sha256()

    @property
    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._hash.update(data)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def read_snapshot(directory: Path) -> Snapshot:
    """Read a snapshot whole and hold it against its manifest.

    Raises SnapshotError naming the file that is missing, altered or of another schema version.
    """
    manifest = read_manifest(directory)
    check_files(directory, manifest.files)
    names = [n.removeprefix("edges/") for n in manifest.counts if n.startswith("edges/")]
    return Snapshot(
        manifest=manifest,
        users=pq.read_table(directory / "users.parquet"),
        items=pq.read_table(directory / "items.parquet"),
        events=pq.read_table(directory / "events.parquet"),
        edges={name: pq.read_table(directory / "edges" / f"{name}.parquet") for name in names},
    )


def read_manifest(directory: Path) -> Manifest:
    """Read and check `manifest.json` alone."""
    path = directory / "manifest.json"
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise SnapshotError(f"{directory} is not a snapshot: it has no manifest.json") from None
    except ValueError as error:
        raise SnapshotError(f"{path} is not JSON: {error}") from None
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found != SCHEMA_VERSION:
        raise SnapshotError(
            f"{path}: schema_version is {found!r}, this program reads {SCHEMA_VERSION};"
            " export the snapshot again"
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise SnapshotError(f"{path}: {key}: {first['msg']}") from None


def hash_files(directory: Path) -> dict[str, str]:
    """The sha256 of every file below `directory`, by relative path."""
    return {
        path.relative_to(directory).as_posix(): _sha256(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def check_files(directory: Path, files: Mapping[str, str]) -> None:
    """Raise SnapshotError naming the first file that is missing or not as it was written."""
    for name, expected in files.items():
        path = directory / name
        if not path.is_file():
            raise SnapshotError(f"{directory} is incomplete: {name} is missing")
        if _sha256(path) != expected:
            raise SnapshotError(f"{path} is not as it was written: its sha256 differs")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
