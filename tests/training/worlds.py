"""Worlds for tests, out of matrices."""

import numpy as np
import scipy.sparse as sp

from training.data import interactions
from training.world import Events, Relation, World


def world_of(graph: sp.csr_matrix, text: np.ndarray | None = None) -> World:
    """The world of these weights, none above 1."""
    pairs = graph.tocoo()
    data = interactions(pairs.row, pairs.col, *graph.shape, weight=pairs.data)
    return World(data, text)


def full_world(graph: sp.csr_matrix, seed: int = 3) -> World:
    """A world with everything: texts, an event of value and time for each weight, knowledge.

    Items have one of two genres each, and every user follows the next.
    """
    generator = np.random.default_rng(seed)
    pairs = graph.tocoo()
    users, items = graph.shape
    events = Events(
        user=pairs.row.astype(np.int32),
        item=pairs.col.astype(np.int32),
        type=np.arange(pairs.nnz, dtype=np.int8) % 2,
        value=generator.integers(1, 6, pairs.nnz).astype(float),
        at=np.arange(pairs.nnz, dtype=np.int64) * 3_600_000_000,
        weight=pairs.data.astype(np.float32),
        types=("RATED", "VIEWED"),
    )
    genre = np.stack([np.arange(items), np.arange(items) % 2]).astype(np.int32)
    follows = np.stack([np.arange(users), np.roll(np.arange(users), -1)]).astype(np.int32)
    return World(
        interactions=interactions(pairs.row, pairs.col, users, items, weight=pairs.data),
        text=generator.normal(size=(items, 6)).astype(np.float32),
        events=events,
        relations=(
            Relation("HAS_GENRE", "item", "Genre", genre),
            Relation("FOLLOWS", "user", "user", follows),
        ),
        node_counts={"Genre": 2},
    )
