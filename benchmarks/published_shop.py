"""A shop of any size with a version that serves: what answers are measured on.

People and events are benchmarks.shoplike's. Its versions are drawn, not trained, so that a
catalogue that takes hours to train is there in minutes: an item's vector is its taste's with as
much noise, its item–item weights lead to others of its taste. Where the similarity is the inner
product, items' lengths are drawn too, log-normal. People choose without tastes, so that their
vectors are sums of unlike items: harder for an index than those of real people.
"""

import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import scipy.sparse as sp

from api.local.stack import Stack
from api.loop.publication import publish
from benchmarks.ingest import pathlight
from benchmarks.shop_stack import shop_stack
from benchmarks.shoplike import ShopLike, item_id, shoplike_domain
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Graph
from graphdb.export.export import export_snapshot
from graphdb.people.people import fetch_people
from graphdb.snapshot import Snapshot, read_snapshot
from training.artifact import Artifact, Model, write_artifact
from training.scorer import Scorer
from training.snapshots import snapshot_interactions

DIMENSIONS = 64
TASTE = 200
"""Items of one taste."""
WEIGHTS = 50
"""Item–item weights of an item."""
LENGTHS = 0.5
"""Deviation of the logarithm of an item's length where lengths count."""
SHELVES = 50
"""An item is on one of so many: a filter for one of them keeps 2 %."""
CATALOGUE_ROWS = 2_000
READY_S = 300


@dataclass(frozen=True)
class PublishedShop:
    """A stack, what is in it, and what its snapshot holds; `keys` are people's, by id."""

    stack: Stack
    graph: Graph
    data: ShopLike
    snapshot: Snapshot
    keys: dict[str, str]

    def draw(self, seed: int, *, cosine: bool = True) -> Artifact:
        """A version with this seed, written to where the API looks for it."""
        directory = self.stack.settings.artifacts / f"drawn-{seed}{'' if cosine else '-lengths'}"
        return drawn(self.snapshot, directory, seed, cosine=cosine)

    def publish(self, artifact: Artifact) -> None:
        """Make it what serves; the API may be behind."""
        publish(self.graph, self.stack.settings.artifacts / artifact.model.id)

    def people(self, count: int, seed: int) -> list[str]:
        """Ids of people, each of whom came by an event, drawn with this seed."""
        return np.random.default_rng(seed).permutation(sorted(self.keys))[:count].tolist()

    def until_served(self, version: str) -> None:
        """Wait until the API answers from a version."""
        deadline = time.monotonic() + READY_S
        asked = {"user_id": self.people(1, 0)[0]}
        url = f"{self.stack.api_url}/v1/recommendations"
        while time.monotonic() < deadline:
            answer = httpx.get(url, params=asked, trust_env=False, timeout=60).json()
            if answer.get("model_version") == version and not answer["degraded"]:
                return
            time.sleep(0.2)
        raise TimeoutError(f"the API does not answer from {version}")


@contextmanager
def published_shop(
    data: ShopLike, seed: int, **stack_options
) -> Generator[tuple[PublishedShop, Artifact]]:
    """Load the shop, publish a drawn version and wait until the API answers from it."""
    with shop_stack(**stack_options) as (stack, graph), tempfile.TemporaryDirectory() as folder:
        tell = _Clock(f"{data.items:,} items, {data.users:,} people, {data.events:,} events")
        domain = shoplike_domain()
        for begin in range(0, data.items, CATALOGUE_ROWS):
            rows = range(begin, min(begin + CATALOGUE_ROWS, data.items))
            save_items(graph, domain, [_item(row) for row in rows])
        data.write_parquet(Path(folder) / "events.parquet")
        pathlight(stack.env, "import", f"{folder}/events.parquet")
        tell("loaded")
        export_snapshot(graph, domain, Path(folder) / "snapshot")
        snapshot = read_snapshot(Path(folder) / "snapshot")
        stack.settings.artifacts.mkdir(parents=True, exist_ok=True)
        shop = PublishedShop(stack, graph, data, snapshot, fetch_people(graph))
        artifact = shop.draw(seed)
        shop.publish(artifact)
        tell("published")
        shop.until_served(artifact.model.id)
        tell("served")
        yield shop, artifact


def drawn(snapshot: Snapshot, directory: Path, seed: int, *, cosine: bool = True) -> Artifact:
    """A version of the snapshot's people and items with drawn vectors, written to `directory`."""
    draw = np.random.default_rng(seed)
    ids = snapshot.items["id"].to_pylist()
    taste = draw.permutation(len(ids)) // TASTE
    vectors = _unit(draw.normal(size=(taste.max() + 1, DIMENSIONS)))[taste]
    vectors = _unit(vectors + _unit(draw.normal(size=vectors.shape)))
    if not cosine:
        vectors *= draw.lognormal(0, LENGTHS, (len(ids), 1)).astype(np.float32)
    data = snapshot_interactions(snapshot)
    scorer = Scorer(vectors, vectors, _similar(draw, taste), blend=0.3, cosine=cosine)
    now = datetime.now(UTC)
    model = Model(
        id=directory.name,
        snapshot_id=snapshot.manifest.id,
        domain=snapshot.manifest.domain,
        domain_hash=snapshot.manifest.domain_hash,
        cut=snapshot.manifest.cut,
        as_of=snapshot.manifest.as_of,
        created_at=now,
        seed=seed,
        similarity="cosine" if scorer.cosine else "inner_product",
        dimensions=DIMENSIONS,
        history_exponent=scorer.history_exponent,
        weight_cap=scorer.weight_cap,
        blend=scorer.blend,
        recipe={},
        metrics={},
    )
    artifact = Artifact(
        model=model,
        item_ids=ids,
        user_keys=snapshot.users["key"].to_pylist(),
        scorer=scorer,
        residuals=None,
        history=data.history(),
        seen=data.matrix(data.seen.astype(np.float32)),
        popularity=data.popularity(),
    )
    return write_artifact(directory, artifact, {"item_vectors": vectors})


def _similar(draw: np.random.Generator, taste: np.ndarray) -> sp.csr_matrix:
    """[I, I]: from each item to others of its taste."""
    by_taste = np.argsort(taste, kind="stable")
    place = np.argsort(by_taste)
    size, count = min(TASTE, len(taste)), min(WEIGHTS, len(taste) - 1)
    # The next `count` in the circle of a taste; those of the last, smaller taste reach into others.
    step = 1 + np.arange(count)
    start = place - place % size
    others = by_taste[(start[:, None] + (place[:, None] % size + step) % size) % len(taste)]
    rows = np.repeat(np.arange(len(taste)), count)
    weights = draw.lognormal(-2, 1, rows.size).astype(np.float32)
    return sp.csr_matrix((weights, (rows, others.ravel())), (len(taste), len(taste)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def catalogue_fields(row: int) -> dict[str, str]:
    """What the catalogue says of an item."""
    return {"title": f"Product {row}", "shelf": f"shelf-{row % SHELVES}"}


def _item(row: int) -> dict:
    return {
        "id": item_id(row),
        "fields": catalogue_fields(row),
        "hidden": False,
        "expires_at": None,
    }


class _Clock:
    """Tells on stderr what took how long."""

    def __init__(self, what: str) -> None:
        self._began = time.monotonic()
        print(what, file=sys.stderr)

    def __call__(self, done: str) -> None:
        print(f"{time.monotonic() - self._began:6.0f} s {done}", file=sys.stderr)
