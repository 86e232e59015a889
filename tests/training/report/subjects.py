"""Small artifacts with judgements, written as training writes them, and catalogues with titles."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from graphdb.snapshot import EVENTS, write_snapshot
from training.artifact import Artifact, Model, write_artifact
from training.judging.judgement import Interval, Judged, Judgement, Paired
from training.scorer import Scorer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
USERS, ITEMS, D = 7, 9, 4
SEED = 5


def near(value: float) -> Interval:
    return Interval(value=value, low=value * 0.9, high=value * 1.2)


def judged(name: str, value: float, people: str = "user.age") -> Judged:
    """Figures that all follow from one."""
    metrics = ("precision", "recall", "ndcg", "coverage", "gini", "novelty")
    return Judged(
        name=name,
        metrics={f"{metric}@{k}": near(value + k / 1000) for metric in metrics for k in (5, 10)},
        warm={"ndcg@5": near(value), "users.ndcg@5": near(value)},
        cold={"ndcg@5": near(value / 4)},
        groups={
            "item.popularity": {
                "0 to 2": {"items": 5, "catalogue": 0.6, "test": 0.2, "share@5": 0.1},
                "3 to 9": {
                    **{"items": 4, "catalogue": 0.4, "test": 0.8, "share@5": 0.9},
                    **{"recall@5": value, "ndcg@5": value},
                },
            },
            people: {
                "18 to 30": {"users": 40, "share": 0.8, "ndcg@5": value},
                "(none)": {"users": 25, "share": 0.2, "ndcg@5": value / 2},
            },
        },
    )


def people(value: float) -> np.ndarray:
    """A figure for each of 200 people, about `value`."""
    return value + np.random.default_rng(SEED).normal(size=200).round(3) / 10


def judgement(value: float = 0.3, **changed: Any) -> Judgement:
    def pair(other: str, difference: float) -> Paired:
        found = Interval(value=difference, low=difference - 0.05, high=difference + 0.05)
        return Paired(
            first="default", second=other, metric="ndcg@5", difference=found, p=abs(0.1 - value)
        )

    given = {
        "split": "latest tenth of each user",
        "seed": 1,
        "cutoffs": [5, 10],
        "users": 1234,
        "models": [judged("default", value), judged("popularity", 0.1), judged("ease", 0.29)],
        "paired": [pair("popularity", value - 0.1), pair("ease", value - 0.29)],
        "notes": {"cold": "fewer than 5 entries"},
        "tested": "digest",
        "each": {f"ndcg@{k}": people(value).tolist() for k in (5, 10)},
    }
    return Judgement(**{**given, **changed})


def model(name: str, **changed: Any) -> Model:
    loss = {"name": "in_batch_softmax", "temperature": 0.2}
    given = {
        "id": name,
        "snapshot_id": "catalogue",
        "domain": "films",
        "domain_hash": "0" * 64,
        "cut": {"test": 40},
        "as_of": NOON,
        "created_at": NOON,
        "seed": 3,
        "similarity": "cosine",
        "dimensions": D,
        "history_exponent": 0.5,
        "weight_cap": 1.0,
        "blend": 0.8,
        "recipe": {
            "model": {"name": "lightgcn", "hops": 2},
            "training": {"loss": loss, "learning_rate": 0.01},
            "closed_form": {"reg": 500.0, "truncation": 100, "blend": 0.8},
        },
        "metrics": {},
        "trials": [
            {"model": "lightgcn", "hops": 2, "loss": loss, "epochs": 6, "ndcg": 0.31},
            {"model": "lightgcn", "hops": 1, "loss": loss, "epochs": 8, "ndcg": 0.29},
            {"model": "ease", "reg": 500, "ndcg": 0.25},
            {"model": "gf_cf", "refused": "more than 9 items"},
        ],
        "curve": [
            {"epoch": 1, "loss": 5.5, "seconds": 0.5},
            {"epoch": 2, "loss": 4.25, "seconds": 1.25, "ndcg": 0.31},
        ],
        "seconds": {"search": 12.5, "total": 30.0},
        "peak_bytes": {"rss": 512_000_000},
        "libraries": {"torch": "2.15"},
    }
    return Model(**{**given, **changed})


def write_subject(
    directory: Path, found: Judgement | None = None, *, items: int = ITEMS, **changed: Any
) -> Path:
    """An artifact of random vectors in `directory`, judged unless `found` says otherwise."""
    generator = np.random.default_rng(1)
    history = sp.csr_matrix((generator.random((USERS, items)) < 0.4).astype(np.float32))
    artifact = Artifact(
        model=model(directory.name, **changed),
        item_ids=[f"i{row}" for row in range(items)],
        user_keys=[f"u{row}" for row in range(USERS)],
        scorer=Scorer(
            generator.normal(size=(items, D)).astype(np.float32),
            generator.normal(size=(items, D)).astype(np.float32),
            sp.csr_matrix((items, items), dtype=np.float32),
            0.8,
        ),
        residuals=None,
        history=history,
        seen=history,
        popularity=np.asarray(history.sum(axis=0)).ravel(),
    )
    write_artifact(directory, artifact, {}, found or judgement())
    return directory


def write_catalogue(directory: Path, **columns: list[str | None]) -> Path:
    """A snapshot of items `i0`, `i1`, … with those columns, without events."""
    count = len(next(iter(columns.values())))
    given = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    write_snapshot(
        directory,
        users=pa.table({"key": ["u0"]}),
        items=pa.table({"id": [f"i{row}" for row in range(count)], **given}),
        events=[pa.RecordBatch.from_pylist([], EVENTS)],
        edges={},
        domain="films",
        domain_hash="0" * 64,
        cut={},
        as_of=NOON,
    )
    return directory
