"""A small published world: people with tastes, an artifact made from arrays, its files on disk."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.events import save_events
from graphdb.export.export import fetch_cut
from graphdb.people.people import fetch_people
from tests.rows import event_row, item_row
from training.artifact import Artifact, Model, write_artifact
from training.scorer import Scorer

PEOPLE, ITEMS, D = 12, 40, 6
SEED = 11


def fill_graph(graph: Graph, domain: Domain) -> None:
    """Items "0" to "39" with titles; people "p0" to "p11" with ten events each."""
    print("world seed", SEED)
    rng = np.random.default_rng(SEED)
    save_items(graph, domain, [item_row(str(n), title=f"Film {n}") for n in range(ITEMS)])
    chosen = [rng.choice(ITEMS, 10, replace=False).tolist() for _ in range(PEOPLE)]
    rows = [event_row(f"p{p}", str(i), i) for p, mine in enumerate(chosen) for i in mine]
    save_events(graph, domain, "api", rows)


def build_artifact(
    graph: Graph,
    directory: Path,
    *,
    similarity: str = "cosine",
    residual: bool = True,
    seed: int = SEED,
    density: float = 0.3,
    **changed,
) -> Artifact:
    """An artifact of the graph's people and items with random vectors, written to `directory`."""
    rng = np.random.default_rng(seed)
    found = graph.read("MATCH (u:User)-[r:RATED]->(i:Item) RETURN u.key AS u, i.id AS i")
    keys = sorted(fetch_people(graph).values())
    ids = sorted(row["i"] for row in graph.read("MATCH (i:Item) RETURN i.id AS i"))
    rows = [keys.index(row["u"]) for row in found]
    columns = [ids.index(row["i"]) for row in found]
    history = sp.csr_matrix(
        (np.ones(len(rows), np.float32), (rows, columns)), (len(keys), len(ids))
    )
    history.sort_indices()
    vectors = rng.normal(size=(len(ids), D)) * rng.lognormal(0, 0.4, (len(ids), 1))
    if similarity == "cosine":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    dense = rng.normal(size=(len(ids), len(ids))) * (rng.random((len(ids), len(ids))) < density)
    np.fill_diagonal(dense, 0)
    scorer = Scorer(
        item_vectors=vectors.astype(np.float32),
        event_vectors=rng.normal(size=(len(ids), D)).astype(np.float32),
        similar=sp.csr_matrix(dense.astype(np.float32)),
        blend=0.3,
        cosine=similarity == "cosine",
    )
    residuals = rng.normal(size=(len(keys), D)).astype(np.float32) if residual else None
    now = datetime.now(UTC)
    model = Model(
        id=directory.name,
        snapshot_id="made",
        domain="films",
        domain_hash="made",
        cut=fetch_cut(graph),
        as_of=now,
        created_at=now,
        seed=seed,
        similarity=similarity,
        dimensions=D,
        history_exponent=scorer.history_exponent,
        weight_cap=1.0,
        blend=scorer.blend,
        recipe={},
        metrics={"default": {"ndcg@10": 0.1}},
    )
    artifact = Artifact(
        model=model,
        item_ids=ids,
        user_keys=keys,
        scorer=scorer,
        residuals=residuals,
        history=history,
        seen=history.copy(),
        popularity=np.asarray(history.sum(axis=0)).ravel().astype(np.float32),
    )
    artifact = Artifact(**{**vars(artifact), **changed})
    return write_artifact(directory, artifact, {"item_vectors": scorer.item_vectors})
