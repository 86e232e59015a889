"""Worlds for tests, out of matrices."""

import numpy as np
import scipy.sparse as sp

from training.data import interactions
from training.world import World


def world_of(graph: sp.csr_matrix, text: np.ndarray | None = None) -> World:
    """The world of these weights, none above 1."""
    pairs = graph.tocoo()
    data = interactions(pairs.row, pairs.col, *graph.shape, weight=pairs.data)
    return World(data, text)
