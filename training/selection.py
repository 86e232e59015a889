"""Choosing the item–item half on validation, by the score as it will serve.

It knows a trained scorer and held-out entries; not how the vectors were trained.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from training.closed_forms.ease import Ease
from training.data import Interactions
from training.evaluation import Scores, rank, scorer_scores
from training.scorer import Scorer
from training.truncation import truncate

BLENDS = np.geomspace(0.05, 12.8, 17)
"""λ: the cosine half lies within ±1, EASE's sums mostly within 0 and 1."""

VALIDATION_USERS = 5_000
VALIDATION_CELLS = 50_000_000
"""At most so many users, and so many scores held at once (200 MB each half)."""

CUTOFFS = (10, 20, 50, 100)
"""Settings are compared by the mean NDCG at these: at 10 alone, the λ of ML-100K was noise."""


@dataclass(frozen=True)
class ClosedForm:
    """EASE's part of the settings."""

    reg: float = 500
    truncation: int = 100
    blend: float = 1.0


@dataclass(frozen=True)
class Validation:
    """`part` is trained on; `held` [U, I] is looked up for the sampled `users`."""

    part: Interactions
    known: sp.csr_matrix
    held: sp.csr_matrix
    users: np.ndarray

    @staticmethod
    def of(part: Interactions, held: Interactions, seed: int) -> "Validation":
        """With a seeded sample of the users who have positive held-out entries."""
        wanted = held.take(held.weight > 0).history()
        users = np.flatnonzero(np.diff(wanted.indptr))
        size = min(VALIDATION_USERS, max(1, VALIDATION_CELLS // part.item_count))
        if len(users) > size:
            users = np.sort(np.random.default_rng(seed).choice(users, size, replace=False))
        return Validation(part, part.history(), wanted, users)

    def ndcg(self, scorer: Scorer, residuals: np.ndarray | None) -> float:
        """Mean over users of `each` for the scorer."""
        popularity = self.part.popularity()
        return float(self.each(scorer_scores(scorer, self.known, residuals, popularity)).mean())

    def each(self, scores: Scores) -> np.ndarray:
        """The mean NDCG at CUTOFFS of each validation user."""
        ranking = rank(scores, self.known, self.held, max(CUTOFFS), self.users)
        return np.mean([ranking.ndcg(cutoff) for cutoff in CUTOFFS], axis=0)


def choose_closed_form(
    validation: Validation,
    scorer: Scorer,
    residuals: np.ndarray | None,
    regs: tuple[float, ...],
    truncations: tuple[int, ...],
) -> tuple[ClosedForm, list[dict]]:
    """reg, then truncation, then λ for what was truncated.

    reg is that of the best EASE alone: the blend is flat in it, and its own best went from 50 to
    700 on ML-100K with the seed. The smallest truncation is taken whose loss against the whole
    matrix is within one standard error of the paired differences, else the largest: what serves is
    always truncated. Returns the choice and what was tried.
    """
    halves = _Halves(validation, scorer, residuals)
    ease = Ease(validation.part.graph())
    alone = {reg: float(halves.ndcg(halves.sums(ease.weights(reg)), None).mean()) for reg in regs}
    trials: list[dict] = [{"model": "ease", "reg": reg, "ndcg": alone[reg]} for reg in regs]
    reg = max(regs, key=lambda reg: alone[reg])
    weights = ease.weights(reg)
    whole = halves.best_blend(halves.sums(weights))
    trials.append({"model": "blend", "reg": reg, **whole.row()})
    for k in truncations:
        found = halves.best_blend(halves.sums(truncate(weights, k)))
        trials.append({"model": "blend", "reg": reg, "truncation": k, **found.row()})
        if _costs_nothing(found.ndcg, whole.ndcg):
            break
    return ClosedForm(float(reg), k, found.blend), trials


@dataclass(frozen=True)
class _Blended:
    """The best λ and each user's NDCG with it."""

    blend: float
    ndcg: np.ndarray

    def row(self) -> dict:
        return {"blend": round(self.blend, 4), "ndcg": float(self.ndcg.mean())}


class _Halves:
    """Both halves of the validation users' scores, apart, so that many λ cost one product each."""

    def __init__(self, validation: Validation, scorer: Scorer, residuals: np.ndarray | None):
        self.validation = validation
        users = validation.users
        self.history = validation.known[users]
        self.capped = scorer.capped(self.history)
        chosen = None if residuals is None else residuals[users]
        self.graph_half = replace(scorer, blend=0.0).scores(self.history, chosen)
        self.row = np.zeros(validation.known.shape[0], np.int64)
        self.row[users] = np.arange(len(users))

    def sums(self, weights: np.ndarray | sp.csr_matrix) -> np.ndarray:
        """Σ a_i b_ij for every validation user: [V, I]."""
        product = self.capped @ weights
        return product.toarray() if sp.issparse(product) else product

    def ndcg(self, sums: np.ndarray, blend: float | None) -> np.ndarray:
        """NDCG of each user with λ = `blend`; None leaves the graph's half out."""

        def scores(users: np.ndarray) -> np.ndarray:
            rows = self.row[users]
            if blend is None:
                return sums[rows]
            return self.graph_half[rows] + np.float32(blend) * sums[rows]

        return self.validation.each(scores)

    def best_blend(self, sums: np.ndarray) -> _Blended:
        """The middle λ of those that are no measurably worse than the best.

        The curve is flat over a decade and its top is noise: on ML-100K the plain maximum went
        from .06 to 1.6 with the seed.
        """
        each = np.stack([self.ndcg(sums, blend) for blend in BLENDS])
        best = each[each.mean(axis=1).argmax()]
        as_good = [i for i, ndcg in enumerate(each) if _costs_nothing(ndcg, best)]
        middle = as_good[len(as_good) // 2]
        return _Blended(float(BLENDS[middle]), each[middle])


def _costs_nothing(ndcg: np.ndarray, other: np.ndarray) -> bool:
    """Whether the mean loss against `other` is within one standard error of the differences."""
    difference = ndcg - other
    return bool(difference.mean() >= -difference.std() / np.sqrt(len(difference)))
