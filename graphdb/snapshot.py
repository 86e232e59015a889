"""The snapshot's file format: a directory of Parquet files and a manifest that proves them.

It knows files and columns only: no driver, no Cypher, no domain. Whoever trains reads this and
nothing else of graphdb, so a machine with a GPU needs neither the database nor its driver.

    manifest.json        see Manifest
    users.parquet        key (random, never the person's id) and feature columns
    items.parquet        id, text, text_vector (list<float>, null without text) and feature columns
    events.parquet       user, item (int32 rows of the two tables), type, at, value, weight, seen;
                         ordered by user, then time
    edges/<TYPE>.parquet item (int32 row of items), node (the attribute's id)
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

SCHEMA_VERSION = 1

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

EDGES = pa.schema(
    [pa.field("item", pa.int32(), nullable=False), pa.field("node", pa.string(), nullable=False)]
)


class SnapshotError(Exception):
    """A snapshot that is missing, incomplete, altered, or of another schema version."""


class Manifest(BaseModel):
    """What a snapshot holds and as of when.

    `cut` is, for each source of events, the last sequence number inside; "newer than this
    snapshot" means beyond it, never a comparison of clocks. `weight_cap` bounds the summed
    weight of one user and item on both sides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    id: str
    domain: str
    domain_hash: str
    as_of: datetime
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
    """Write a snapshot beside `directory` and rename it there: it is seen whole or not at all.

    Raises FileExistsError when `directory` is there already.
    """
    if directory.exists():
        raise FileExistsError(directory)
    building = directory.with_name(f".{directory.name}.{uuid4().hex[:8]}")
    (building / "edges").mkdir(parents=True)
    try:
        pq.write_table(users, building / "users.parquet")
        pq.write_table(items, building / "items.parquet")
        event_count = 0
        with pq.ParquetWriter(building / "events.parquet", EVENTS) as writer:
            for batch in events:
                writer.write_batch(batch)
                event_count += batch.num_rows
        for name, table in edges.items():
            pq.write_table(table.cast(EDGES), building / "edges" / f"{name}.parquet")
        manifest = Manifest(
            id=directory.name,
            domain=domain,
            domain_hash=domain_hash,
            as_of=as_of or datetime.now(UTC),
            cut=dict(cut),
            counts={
                "users": users.num_rows,
                "items": items.num_rows,
                "events": event_count,
                **{f"edges/{name}": table.num_rows for name, table in edges.items()},
            },
            text_encoder=text_encoder,
            weight_cap=weight_cap,
            files=hash_files(building),
        )
        (building / "manifest.json").write_text(manifest.model_dump_json(indent=2))
        building.rename(directory)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return manifest


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
