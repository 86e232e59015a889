"""Ranking the whole catalogue and measuring it; it knows scores, not where they come from."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from training.errors import DivergedError
from training.judging.metrics import accuracy, ndcg
from training.scorer import Scorer

Scores = Callable[[np.ndarray], np.ndarray]
"""User rows [B] to scores [B, I] of the whole catalogue; the array may be written to."""

BATCH_CELLS = 8_000_000
"""Scores held at once: 32 MB."""


@dataclass(frozen=True)
class Ranking:
    """The first k items of each tested user.

    users: [T] rows; items: int32 [T, k] rows, -1 where the catalogue gave out; hits: bool [T, k];
    relevant: [T] test items.
    """

    users: np.ndarray
    items: np.ndarray
    hits: np.ndarray
    relevant: np.ndarray

    def ndcg(self, cutoff: int | None = None) -> np.ndarray:
        """[T] NDCG at `cutoff` (k unless given)."""
        return ndcg(self.hits, self.relevant, cutoff or self.hits.shape[1])

    def among(self, items: np.ndarray, wanted: sp.csr_matrix) -> "Ranking":
        """Where only test items of the mask `items` [I] count, for the users who have one.

        wanted: [T, I] test entries of `users`. The lists are still of the whole catalogue.
        """
        rows = np.repeat(np.arange(len(self.users)), np.diff(wanted.indptr))
        relevant = np.bincount(rows[items[wanted.indices]], minlength=len(self.users))
        hits = self.hits & items[np.maximum(self.items, 0)]
        asked = relevant > 0
        return Ranking(self.users[asked], self.items[asked], hits[asked], relevant[asked])

    def metrics(self) -> dict[str, float]:
        """Means over tested users at k."""
        k = self.hits.shape[1]
        values = accuracy(self.hits, self.relevant, k)
        return {f"{name}@{k}": float(value.mean()) for name, value in values.items()}


def rank(
    scores: Scores, known: sp.csr_matrix, test: sp.csr_matrix, k: int = 10, users=None
) -> Ranking:
    """Rank every item outside the user's row of `known` [U, I] and look `test` [U, I] up.

    `users`: the rows to test, those with test items unless given.
    """
    rows = np.flatnonzero(np.diff(test.indptr)) if users is None else users
    items = np.full((len(rows), k), -1, np.int32)
    start = 0
    for batch in batches(rows, test.shape[1]):
        found = top_k(scores(batch), known[batch], k)
        items[start : start + len(batch), : found.shape[1]] = found
        start += len(batch)
    return Ranking(rows, items, found_in(items, test[rows]), np.diff(test.indptr)[rows])


def batches(rows: np.ndarray, item_count: int) -> Iterator[np.ndarray]:
    """`rows` in pieces whose scores are at most BATCH_CELLS."""
    size = max(1, BATCH_CELLS // item_count)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def top_k(scores: np.ndarray, known: sp.csr_matrix, k: int) -> np.ndarray:
    """Item rows [B, min(k, I)] by descending score, -1 in place of those in `known`.

    It overwrites `scores`. Raises DivergedError when a score is NaN.
    """
    scores[np.repeat(np.arange(len(scores)), np.diff(known.indptr)), known.indices] = -np.inf
    best = torch.topk(torch.from_numpy(scores), min(k, scores.shape[1]))
    # topk takes NaN for more than any number: one is in the first place, if there is one.
    if torch.isnan(best.values).any():
        raise DivergedError("a score is NaN: the vectors or weights behind it are not finite")
    return best.indices.masked_fill(best.values == -torch.inf, -1).numpy()


def found_in(items: np.ndarray, wanted: sp.csr_matrix) -> np.ndarray:
    """bool [T, k]: which of `items` [T, k] are entries of the row of `wanted` [T, I]."""
    width = np.int64(wanted.shape[1])
    rows = np.repeat(np.arange(len(items)), np.diff(wanted.indptr))
    entries = np.sort(rows * width + wanted.indices)
    asked = np.arange(len(items))[:, None] * width + items
    if not len(entries):
        return np.zeros(items.shape, bool)
    place = np.minimum(np.searchsorted(entries, asked), len(entries) - 1)
    return (entries[place] == asked) & (items >= 0)


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
