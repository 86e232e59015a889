"""An artifact as `pathlight train` leaves it in a home, trained in a moment."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from graphdb.snapshot import EVENTS, write_snapshot
from tests.training.recipes import QUICK
from training.train import train

PEOPLE, ITEMS, EACH = 40, 20, 8


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """An artifact in the home, and the snapshot of two tastes that it was trained on."""
    home = tmp_path / "home"
    generator = np.random.default_rng(1)
    user = np.repeat(np.arange(PEOPLE), EACH)
    item = np.concatenate([generator.permutation(10)[:EACH] * 2 + u % 2 for u in range(PEOPLE)])
    rows = len(user)
    events = pa.record_batch(
        [
            pa.array(user, pa.int32()),
            pa.array(item, pa.int32()),
            pa.array(["RATED"] * rows).dictionary_encode().cast(EVENTS.field("type").type),
            pa.array(np.tile(np.arange(EACH), PEOPLE)).cast(EVENTS.field("at").type),
            pa.nulls(rows, pa.float64()),
            pa.array(np.ones(rows), pa.float32()),
            pa.array([True] * rows),
        ],
        schema=EVENTS,
    )
    write_snapshot(
        home / "snapshots" / "s1",
        users=pa.table({"key": [f"u{n}" for n in range(PEOPLE)]}),
        items=pa.table(
            {
                "id": [f"i{n}" for n in range(ITEMS)],
                "text": pa.nulls(ITEMS, pa.string()),
                "text_vector": pa.nulls(ITEMS, pa.list_(pa.float32())),
                "colour": ["red", "blue"] * (ITEMS // 2),
            }
        ),
        events=[events],
        edges={},
        domain="films",
        domain_hash="0" * 64,
        cut={},
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
    )
    train(home / "snapshots" / "s1", home / "artifacts" / "a1", config=QUICK)
    return home / "artifacts" / "a1"
