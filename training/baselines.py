"""The baselines that every model is printed beside."""

import numpy as np
import scipy.sparse as sp

from training.closed_forms.ease import Ease
from training.evaluation import Scores


def popularity_scores(popularity: np.ndarray) -> Scores:
    """The same `popularity` [I] for everybody."""
    return lambda users: np.tile(popularity.astype(np.float32), (len(users), 1))


def ease_scores(graph: sp.csr_matrix, reg: float) -> Scores:
    """EASE fitted to `graph` [U, I] and not truncated."""
    weights = Ease(graph).weights(reg)
    return lambda users: graph[users].astype(np.float32) @ weights
