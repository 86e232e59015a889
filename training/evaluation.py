"""Ranking the whole catalogue and measuring it; it knows scores, not where they come from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from training.errors import DivergedError
from training.scorer import Scorer

Scores = Callable[[np.ndarray], np.ndarray]
"""User rows [B] to scores [B, I] of the whole catalogue; the array may be written to."""

BATCH_CELLS = 8_000_000
"""Scores held at once: 32 MB."""


@dataclass(frozen=True)
class Ranking:
    """The first k items of each tested user: `users` [T], `hits` bool [T, k], `relevant` [T]."""

    users: np.ndarray
    hits: np.ndarray
    relevant: np.ndarray

    def ndcg(self, cutoff: int | None = None) -> np.ndarray:
        """[T] NDCG at `cutoff` (k unless given).

        Binary gains, log2 discount, ideal of min(cutoff, test items).
        """
        cutoff = cutoff or self.hits.shape[1]
        discount = 1 / np.log2(np.arange(2, cutoff + 2))
        ideal = np.cumsum(discount)[np.minimum(self.relevant, cutoff) - 1]
        return self.hits[:, :cutoff] @ discount / ideal

    def metrics(self) -> dict[str, float]:
        """Means over tested users.

        Recall divides by all the user's test items; MAP by min(k, test items); MRR is of the first
        hit within k.
        """
        k = self.hits.shape[1]
        place = np.arange(1, k + 1)
        found = self.hits.sum(axis=1)
        precision_at_hits = self.hits * np.cumsum(self.hits, axis=1) / place
        values = {
            "precision": found / k,
            "recall": found / self.relevant,
            "ndcg": self.ndcg(),
            "mrr": (self.hits / place).max(axis=1),
            "map": precision_at_hits.sum(axis=1) / np.minimum(self.relevant, k),
            "hit_rate": found > 0,
        }
        return {f"{name}@{k}": float(value.mean()) for name, value in values.items()}


def rank(
    scores: Scores, known: sp.csr_matrix, test: sp.csr_matrix, k: int = 10, users=None
) -> Ranking:
    """Rank every item outside the user's row of `known` [U, I] and look `test` [U, I] up.

    `users`: the rows to test, those with test items unless given.
    """
    rows = np.flatnonzero(np.diff(test.indptr)) if users is None else users
    hits = [
        _hits(scores(batch), known[batch], test[batch], k) for batch in batches(rows, test.shape[1])
    ]
    return Ranking(rows, np.concatenate(hits), np.diff(test.indptr)[rows])


def batches(rows: np.ndarray, item_count: int) -> Iterator[np.ndarray]:
    """`rows` in pieces whose scores are at most BATCH_CELLS."""
    size = max(1, BATCH_CELLS // item_count)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def top_k(scores: np.ndarray, known: sp.csr_matrix, k: int) -> np.ndarray:
    """Item rows [B, min(k, I)] by descending score, those in `known` last; overwrites `scores`.

    Raises DivergedError when a score is NaN.
    """
    if np.isnan(scores).any():
        raise DivergedError("a score is NaN: the vectors or weights behind it are not finite")
    scores[np.repeat(np.arange(len(scores)), np.diff(known.indptr)), known.indices] = -np.inf
    return torch.topk(torch.from_numpy(scores), min(k, scores.shape[1])).indices.numpy()


def _hits(scores: np.ndarray, known: sp.csr_matrix, test: sp.csr_matrix, k: int) -> np.ndarray:
    wanted = np.zeros(scores.shape, bool)
    wanted[np.repeat(np.arange(len(scores)), np.diff(test.indptr)), test.indices] = True
    hits = np.zeros((len(scores), k), bool)
    ranked = top_k(scores, known, k)
    hits[:, : ranked.shape[1]] = np.take_along_axis(wanted, ranked, axis=1)
    return hits


def scorer_scores(
    scorer: Scorer, history: sp.csr_matrix, residuals: np.ndarray | None, popularity: np.ndarray
) -> Scores:
    """The one score of each user row; by `popularity` [I] where there is no history, as served."""
    known = np.diff(history.indptr) > 0

    def scores(users: np.ndarray) -> np.ndarray:
        rows = scorer.scores(history[users], None if residuals is None else residuals[users])
        rows[~known[users]] = popularity
        return rows

    return scores
