"""Choosing how the two halves of the score are put together, by the score as it will serve.

It knows a trained scorer, item–item weights and held-out entries; not how either was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from training.closed_form import ClosedFormConfig
from training.data import Interactions
from training.evaluation import Scores, batches, rank, scorer_scores
from training.scorer import Scorer
from training.truncation import truncate_rows

BLENDS = np.geomspace(1 / 16, 16, 17)
"""λ in units of the ratio of the halves' spreads: at 1 both move a person's list as much."""

VALIDATION_USERS = 5_000
FEW_USERS = 1_000
"""Closed forms are compared by so many: they are filtered anew for each setting."""

CUTOFFS = (10, 20, 50, 100)
"""Settings are compared by the mean NDCG at these: at 10 alone, the λ of ML-100K was noise."""

ERRORS = 2
"""Standard errors by which what costs more than the plain choice has to be better."""


@dataclass(frozen=True)
class ItemHalf:
    """The item–item half's part of the settings: b = Σ w · form, cut to `truncation`, times λ."""

    forms: tuple[tuple[ClosedFormConfig, float], ...] = ()
    truncation: int = 100
    blend: float = 0.0

    @staticmethod
    def of(described: Mapping) -> "ItemHalf":
        """What `described` gave. Raises UnknownNameError, SettingError, KeyError."""
        forms = []
        for settings in map(dict, described["forms"]):
            name, weight = settings.pop("name"), settings.pop("weight")
            forms.append((ClosedFormConfig.of(name, settings), weight))
        return ItemHalf(tuple(forms), described["truncation"], described["blend"])

    def described(self) -> dict:
        """For `model.json`."""
        forms = [{**form.described(), "weight": weight} for form, weight in self.forms]
        return {"forms": forms, "truncation": self.truncation, "blend": self.blend}


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
        drawn = np.random.default_rng(seed).permutation(users)[:VALIDATION_USERS]
        return Validation(part, part.history(), wanted, drawn)

    @cached_property
    def graph(self) -> sp.csr_matrix:
        """[U, I] positive weights of `part`."""
        return self.part.graph()

    def served(self, scorer: Scorer, residuals: np.ndarray | None) -> np.ndarray:
        """`each` of the one score."""
        return self.each(scorer_scores(scorer, self.known, residuals, self.part.popularity()))

    def each(self, scores: Scores, users: np.ndarray | None = None) -> np.ndarray:
        """The mean NDCG at CUTOFFS of each validation user (of `users` if given)."""
        asked = self.users if users is None else users
        ranking = rank(scores, self.known, self.held, max(CUTOFFS), asked)
        return np.mean([ranking.ndcg(cutoff) for cutoff in CUTOFFS], axis=0)

    def measure(self, sums: Callable[[sp.csr_matrix], np.ndarray]) -> tuple[np.ndarray, float]:
        """Of item–item sums alone: `each` of FEW_USERS, and the mean spread of their scores."""
        spreads = []

        def scores(users: np.ndarray) -> np.ndarray:
            found = sums(self.graph[users])
            spreads.append(found.std(axis=1))
            return found

        ndcg = self.each(scores, self.users[:FEW_USERS])
        return ndcg, float(np.concatenate(spreads).mean())


@dataclass(frozen=True)
class Blended:
    """The best λ, each user's NDCG with it, and λ over the ratio of the halves' spreads."""

    blend: float
    ndcg: np.ndarray
    units: float

    def row(self) -> dict:
        """For `model.json`."""
        return {
            "blend": round(self.blend, 5),
            "units": round(self.units, 4),
            "ndcg": float(self.ndcg.mean()),
        }


def choose_blend(
    validation: Validation,
    scorer: Scorer,
    residuals: np.ndarray | None,
    sums: Callable[[sp.csr_matrix], np.ndarray],
) -> Blended:
    """λ for `sums`, which gives Σ a_i b_ij [B, I] of a history's capped weights [B, I].

    The middle λ of those that are no measurably worse than the best: the curve is flat over a
    decade and its top is noise. On ML-100K the plain maximum went from .06 to 1.6 with the seed.
    """
    alone = replace(scorer, blend=0.0)
    each: list[list[np.ndarray]] = [[] for _ in BLENDS]
    ratio: float | None = None
    for users in batches(validation.users, validation.part.item_count):
        history = validation.known[users]
        vectors = alone.scores(history, None if residuals is None else residuals[users])
        items = sums(scorer.capped(history))
        if ratio is None:
            # The first users' ratio stands for all: it is a unit, and the grid is wide.
            ratio = _ratio(_spread(vectors), _spread(items))
        for place, units in enumerate(BLENDS):
            blended = vectors + np.float32(units * ratio) * items
            each[place].append(validation.each(lambda _, rows=blended: rows, users))
    ndcg = np.stack([np.concatenate(parts) for parts in each])
    best = ndcg[ndcg.mean(axis=1).argmax()]
    as_good = [place for place, values in enumerate(ndcg) if costs_nothing(values, best)]
    middle = as_good[len(as_good) // 2]
    return Blended(float(BLENDS[middle] * (ratio or 1)), ndcg[middle], float(BLENDS[middle]))


def choose_truncation(
    validation: Validation,
    scorer: Scorer,
    residuals: np.ndarray | None,
    whole: Blended,
    weights: sp.csr_matrix,
    truncations: Sequence[int],
) -> tuple[int, Blended, list[dict]]:
    """The smallest truncation whose loss against the `whole` matrix is within one standard error
    of the paired differences, else the largest: what serves is always truncated.

    weights: cut to the largest of `truncations` already. Returns it, its λ, and what was tried.
    """
    trials = []
    for k in sorted(truncations):
        cut = truncate_rows(lambda rows: weights[rows].toarray(), weights.shape[0], k)
        found = choose_blend(validation, scorer, residuals, lambda a, b=cut: (a @ b).toarray())
        trials.append({"model": "blend", "truncation": k, **found.row()})
        if costs_nothing(found.ndcg, whole.ndcg):
            break
    return k, found, trials


def costs_nothing(ndcg: np.ndarray, other: np.ndarray, errors: float = 1) -> bool:
    """Whether the mean loss against `other` is within `errors` standard errors of the
    differences."""
    difference = ndcg - other
    return bool(difference.mean() >= -errors * difference.std() / np.sqrt(len(difference)))


def _ratio(vectors: float, items: float) -> float:
    # A half that says nothing has no spread; then any λ is as good.
    return vectors / items if vectors and items else 1.0


def _spread(scores: np.ndarray) -> float:
    return float(scores.std(axis=1).mean())
