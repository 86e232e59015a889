"""Graphs with a known answer, real ratings, and snapshots written as an export writes them."""

from training.threads import wait_briefly

wait_briefly()

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from benchmarks.ml100k import Ratings, protocol_split, read_ratings
from graphdb.snapshot import EVENTS, write_snapshot
from training.data import Interactions
from training.world import World

SEED = 7


@pytest.fixture(scope="session", autouse=True)
def _print_seed():
    print(f"tests/training: seed {SEED}")


@pytest.fixture(scope="session")
def ratings(data_folder: Path) -> Ratings:
    """MovieLens-100K."""
    return read_ratings(data_folder / "ml-100k")


@pytest.fixture(scope="session")
def ml100k(ratings: Ratings) -> tuple[World, Interactions]:
    """What is trained on and what is held out by the protocol of benchmarks.ml100k, no texts."""
    train, test = protocol_split(ratings)
    return World(train), test


@pytest.fixture
def six_nodes() -> sp.csr_matrix:
    """Three users, three items, weighted edges."""
    return sp.csr_matrix(np.array([[1.0, 0.5, 0], [0, 1.0, 0.25], [0.75, 0, 0]], np.float32))


@pytest.fixture
def checkerboard() -> np.ndarray:
    """40 × 40: even users like even items, odd users odd ones."""
    rows = np.arange(40)
    return (rows[:, None] % 2 == rows[None, :] % 2).astype(np.float32)


@pytest.fixture
def make_snapshot(tmp_path):
    """Write a snapshot of (user, item, weight, microseconds[, value]) rows; returns its
    directory."""

    def make(
        rows, users: int, items: int, *, name="snapshot", text=None, seen=True, edges=None
    ) -> Path:
        ordered = sorted(rows, key=lambda row: (row[0], row[3]))
        whole = [(*row, None)[:5] for row in ordered]
        columns = list(zip(*whole, strict=True)) if whole else [[]] * 5
        count = len(whole)
        batch = pa.record_batch(
            [
                pa.array(columns[0], pa.int32()),
                pa.array(columns[1], pa.int32()),
                pa.array(["RATED"] * count).dictionary_encode().cast(EVENTS.field("type").type),
                pa.array(columns[3], pa.int64()).cast(EVENTS.field("at").type),
                pa.array(columns[4], pa.float64()),
                pa.array(columns[2], pa.float32()),
                pa.array([seen] * count, pa.bool_()),
            ],
            schema=EVENTS,
        )
        vectors = [None] * items if text is None else text
        write_snapshot(
            tmp_path / name,
            users=pa.table({"key": [f"u{row}" for row in range(users)]}),
            items=pa.table(
                {
                    "id": [f"i{row}" for row in range(items)],
                    "text": pa.array([None] * items, pa.string()),
                    "text_vector": pa.array(vectors, pa.list_(pa.float32())),
                }
            ),
            events=[batch],
            edges=edges or {},
            domain="films",
            domain_hash="0" * 64,
            cut={"test": count},
            as_of=datetime(2026, 1, 1, tzinfo=UTC),
        )
        return tmp_path / name

    return make
