"""An artifact into the graph: filled aside, proven, flipped. What served before serves until then.

It composes the artifact's arrays and the graph's slots; how either is stored it leaves to them.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from api.serving.index_space import Longest, indexed_vectors, query_vector
from graphdb.connection import Graph
from graphdb.versions.slots import (
    build_indexes,
    clear_slot,
    fill_items,
    fill_similar,
    fill_users,
    nearest,
)
from graphdb.versions.versions import Building, PublicationError, begin_version, flip
from training.artifact import Artifact, read_artifact

PROBED_USERS, PROBED_TOP, LEAST_RECALL = 50, 50, 0.95

Progress = Callable[[str, int, int], None]
"""Called with the step's name, how much of it is done, and its total."""


def publish(
    graph: Graph, directory: Path, *, fence: int = 0, progress: Progress | None = None
) -> str:
    """Make the artifact in `directory` what serves; returns the version's id.

    A later attempt with a higher fence takes over where a killed one stopped. Raises ArtifactError,
    PublicationError (the old version serves on), OvertakenError.
    """
    report = progress or (lambda step, done, total: None)
    artifact = read_artifact(directory)
    model = artifact.model
    facts = {
        "artifact": directory.name,
        "cut": json.dumps(model.cut),
        "as_of": model.as_of,
        "similarity": model.similarity,
        "dimensions": model.dimensions,
        "metrics": model.metrics,
        "seed": model.seed,
        "snapshot": model.snapshot_id,
    }
    building = begin_version(graph, model.id, facts, fence)
    report("clear", 0, 1)
    clear_slot(graph, building)
    vectors, factors = indexed_vectors(artifact.scorer.item_vectors, model.similarity)
    _fill(graph, building, artifact, (vectors, factors), report)
    report("index", 0, 1)
    build_indexes(graph, building, vectors.shape[1])
    report("probe", 0, 1)
    _probe_recall(graph, building, artifact)
    flip(graph, building)
    report("flip", 1, 1)
    return model.id


def _fill(
    graph: Graph,
    building: Building,
    artifact: Artifact,
    items: tuple[np.ndarray, np.ndarray],
    report: Progress,
) -> None:
    def counter(step: str, total: int) -> Callable[[int], None]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            report(step, done, total)

        return advance

    vectors, factors = items
    # A zero vector cannot be indexed, and scores nothing: such items come by the other half only.
    item_rows = [
        (artifact.item_ids[row], vectors[row].tolist(), float(factors[row]))
        for row in np.flatnonzero(np.abs(vectors).sum(axis=1) > 0)
    ]
    written = fill_items(graph, building, item_rows, counter("items", len(item_rows)))
    if item_rows and not written:
        raise PublicationError(f"version {building.id}: none of its items is in the graph")
    users = artifact.scorer.user_vectors(artifact.history, artifact.residuals)
    user_rows = [
        (artifact.user_keys[row], query_vector(users[row], artifact.model.similarity))
        for row in np.flatnonzero(np.abs(users).sum(axis=1) > 0)
    ]
    fill_users(graph, building, user_rows, counter("users", len(user_rows)))
    similar = artifact.scorer.similar
    ids = np.array(artifact.item_ids, dtype=object)
    similar_rows = [
        (ids[row], ids[similar.indices[a:b]].tolist(), similar.data[a:b].tolist())
        for row, (a, b) in enumerate(zip(similar.indptr, similar.indptr[1:], strict=False))
        if b > a
    ]
    fill_similar(graph, building, similar_rows, counter("similar", len(similar_rows)))


def _probe_recall(graph: Graph, building: Building, artifact: Artifact) -> None:
    """Hold the index, and what is sought beside it, against exact search, for people drawn with
    the artifact's own seed."""
    model, scorer = artifact.model, artifact.scorer
    known = np.flatnonzero(np.diff(artifact.history.indptr))
    drawn = np.random.default_rng(model.seed).permutation(known)[:PROBED_USERS]
    residuals = None if artifact.residuals is None else artifact.residuals[drawn]
    users = scorer.user_vectors(artifact.history[drawn], residuals)
    # An index cannot be asked with a zero vector, and nobody does.
    users = users[users.any(axis=1)]
    if not len(users):
        return
    exact = users @ scorer.item_vectors.T
    exact[:, np.abs(scorer.item_vectors).sum(axis=1) == 0] = -np.inf
    top = min(PROBED_TOP, int(np.isfinite(exact[0]).sum()))
    longest = Longest.of(scorer.item_vectors, model.similarity)
    found = total = 0
    for user, scores in zip(users, exact, strict=True):
        best = {artifact.item_ids[row] for row in np.argsort(-scores, kind="stable")[:top]}
        asked = nearest(graph, building.slot, query_vector(user, model.similarity), 4 * top)
        beside = {artifact.item_ids[row] for row in longest.nearest(user, top)}
        found += len(best & beside.union(asked))
        total += len(best)
    if total and found / total < LEAST_RECALL:
        raise PublicationError(
            f"version {model.id}: its index finds {found / total:.3f} of the exact top {top},"
            f" at least {LEAST_RECALL} is required"
        )
