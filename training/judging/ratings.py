"""How far scores are from ratings, where events have values.

A score becomes a rating by least squares on what is known of the tested users: rating ≈ a + b ·
score, kept within the ratings seen there. It knows scores and values; no model.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from training.data import Interactions
from training.judging.evaluation import Scores
from training.judging.intervals import PerUser
from training.world import Events, latest_values


@dataclass(frozen=True)
class Ratings:
    """Values of pairs, [U, I] CSR: what is `known` of each user, and what is asked in `test`."""

    known: sp.csr_matrix
    test: sp.csr_matrix

    @staticmethod
    def of(events: Events | None, known: Interactions, test: Interactions) -> "Ratings | None":
        """The latest values of the pairs of both parts; None where either has none."""
        if events is None:
            return None
        parts = [_values(events, part) for part in (known, test)]
        return Ratings(*parts) if all(part.nnz for part in parts) else None


@dataclass
class RatedScores:
    """Scores that note, on their way, what they give the pairs with a value."""

    scores: Scores
    ratings: Ratings
    _known: list[np.ndarray] = field(default_factory=list)
    _test: list[np.ndarray] = field(default_factory=list)

    def __call__(self, users: np.ndarray) -> np.ndarray:
        rows = self.scores(users)
        for noted, values in ((self._known, self.ratings.known), (self._test, self.ratings.test)):
            part = values[users]
            noted.append(rows[np.repeat(np.arange(len(users)), np.diff(part.indptr)), part.indices])
        return rows

    def errors(self, users: np.ndarray) -> dict[str, PerUser]:
        """MAE and RMSE over the test pairs of `users` [T], those it was called with, in order.

        Empty where no known or no test pair of theirs has a value.
        """
        known, test = self.ratings.known[users], self.ratings.test[users]
        if not known.nnz or not test.nnz:
            return {}
        offset, slope = _line(np.concatenate(self._known), known.data)
        predicted = offset + slope * np.concatenate(self._test).astype(float)
        off = np.clip(predicted, known.data.min(), known.data.max()) - test.data
        row = np.repeat(np.arange(len(users)), np.diff(test.indptr))
        count = np.bincount(row, minlength=len(users)).astype(float)
        return {
            "mae": PerUser(np.bincount(row, np.abs(off), len(users)), count),
            "rmse": PerUser(np.bincount(row, off**2, len(users)), count, root=True),
        }


def _line(scores: np.ndarray, ratings: np.ndarray) -> tuple[float, float]:
    """(a, b) of the least squares of ratings on scores; the mean alone where scores are equal."""
    spread = scores.astype(float) - scores.mean(dtype=float)
    squares = float(spread @ spread)
    slope = float(spread @ ratings) / squares if squares > 0 else 0.0
    return float(ratings.mean() - slope * scores.mean(dtype=float)), slope


def _values(events: Events, part: Interactions) -> sp.csr_matrix:
    values = latest_values(events, part.user_index, part.item_index, part.item_count)
    rated = part.take(np.isfinite(values))
    return rated.matrix(values[np.isfinite(values)])
