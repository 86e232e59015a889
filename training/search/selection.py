"""Choosing how the two halves of the score are put together, by the score as it will serve.

It knows a trained scorer, item–item weights and held-out entries; not how either was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from training.closed_form import ClosedFormConfig, ItemWeights
from training.data import Interactions
from training.judging.evaluation import Scores, batches, rank, scorer_scores
from training.scorer import Scorer
from training.truncation import truncate_sparse

BLENDS = np.geomspace(1 / 16, 16, 17)
"""λ in units of the ratio of the halves' spreads: at 1 both move a person's list as much."""

NEAR = 2.1
"""Two steps of BLENDS either way."""

VALIDATION_USERS = 2_500
"""Asked after every epoch: of Gowalla's so many take a tenth of an epoch's time."""

VALIDATION_ENTRIES = 6_000
"""Held out of whom is asked, at least: where people have few, more people are asked."""

FEW_USERS = 1_000
"""Closed forms are compared by so many: they are filtered anew for each setting."""

CUTOFFS = (10, 20, 50, 100)
"""Settings are compared by the mean NDCG at these: at 10 alone, the λ of ML-100K was noise."""

LOSS = 1e-3
"""Of the NDCG, that cutting may cost."""

MOST_KEPT, KEPT_ANYWAY = 1 / 8, 50
"""Of a row, and weights that are few in any: more would no longer be a sparse graph."""

ERRORS = 2
"""Standard errors by which what costs more than the plain choice has to be better."""


@dataclass(frozen=True)
class ItemHalf:
    """The item–item half's part of the settings: the form's b, cut to `truncation`, times λ."""

    form: ClosedFormConfig | None = None
    truncation: int = 100
    blend: float = 0.0

    @staticmethod
    def of(described: Mapping) -> "ItemHalf":
        """What `described` gave. Raises UnknownNameError, SettingError, KeyError."""
        settings = dict(described["form"] or {})
        form = ClosedFormConfig.of(settings.pop("name"), settings) if settings else None
        return ItemHalf(form, described["truncation"], described["blend"])

    def described(self) -> dict:
        """For `model.json`."""
        form = self.form.described() if self.form else None
        return {"form": form, "truncation": self.truncation, "blend": self.blend}


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
        drawn = np.random.default_rng(seed).permutation(users)
        entries = np.cumsum(np.diff(wanted.indptr)[drawn])
        enough = int(np.searchsorted(entries, VALIDATION_ENTRIES)) + 1
        return Validation(part, part.history(), wanted, drawn[: max(VALIDATION_USERS, enough)])

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

    def blended(self, first: Scores, second: Scores, units: np.ndarray) -> tuple[np.ndarray, float]:
        """`each` [n, V] of first + unit · ratio · second for each of `units` [n], and the ratio.

        ratio: of the spreads of both, so that at 1 either moves a person's list as much; 1 where
        one says nothing, for then any weight is as good. That of the first users stands for all.
        """
        each: list[list[np.ndarray]] = [[] for _ in units]
        ratio: float | None = None
        for users in batches(self.users, self.part.item_count):
            left, right = first(users), second(users)
            if ratio is None:
                spreads = [float(scores.std(axis=1).mean()) for scores in (left, right)]
                ratio = spreads[0] / spreads[1] if all(spreads) else 1.0
            for place, unit in enumerate(units):
                summed = left + np.float32(unit * ratio) * right
                each[place].append(self.each(lambda _, rows=summed: rows, users))
        return np.stack([np.concatenate(parts) for parts in each]), ratio or 1.0

    def measure(self, weights: ItemWeights) -> np.ndarray:
        """`each` of FEW_USERS, of item–item sums alone."""
        return self.each(lambda users: weights.scores(self.graph[users]), self.users[:FEW_USERS])


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
    near: Blended | None = None,
) -> Blended:
    """λ for `sums`, which gives Σ a_i b_ij [B, I] of a history's capped weights [B, I].

    The middle λ of those that are no measurably worse than the best: the curve is flat over a
    decade and its top is noise. On ML-100K the plain maximum went from .06 to 1.6 with the seed.
    near: look no farther than NEAR times from this one, of sums that are much the same.
    """
    first, second = _halves(validation, scorer, residuals, sums)
    units = BLENDS
    if near:
        units = units[(units <= NEAR * near.units) & (near.units <= NEAR * units)]
    ndcg, ratio = validation.blended(first, second, units)
    best = ndcg[ndcg.mean(axis=1).argmax()]
    as_good = [place for place, values in enumerate(ndcg) if costs_nothing(values, best)]
    place = as_good[len(as_good) // 2]
    return Blended(float(units[place] * ratio), ndcg[place], float(units[place]))


def choose_truncation(
    validation: Validation,
    scorer: Scorer,
    residuals: np.ndarray | None,
    whole: Blended,
    weights: sp.csr_matrix,
    truncations: Sequence[int],
) -> tuple[int, Blended, list[dict]]:
    """The smallest truncation that surely, by a standard error, loses no more than LOSS of what the
    `whole` matrix has, else the largest that keeps no more than MOST_KEPT of a row: what serves is
    always truncated. On ML-100K chance, 0.5 % of the NDCG, hid that 50 an item lose 1 %.

    weights: cut to the largest of `truncations` already. Returns it, its λ, and what was tried.
    """
    trials = []
    most = max(KEPT_ANYWAY, MOST_KEPT * weights.shape[0])
    smallest, *others = sorted(truncations)
    for k in [smallest, *(k for k in others if k <= most)]:
        cut = truncate_sparse(weights, k)
        found = choose_blend(
            validation, scorer, residuals, lambda a, b=cut: (a @ b).toarray(), near=whole
        )
        trials.append({"model": "blend", "truncation": k, **found.row()})
        gain, error = _gain(found.ndcg, whole.ndcg)
        if gain - error >= -LOSS * whole.ndcg.mean():
            break
    return k, found, trials


def costs_nothing(ndcg: np.ndarray, other: np.ndarray, errors: float = 1) -> bool:
    """Whether the mean loss against `other` is within `errors` standard errors of the
    differences."""
    gain, error = _gain(ndcg, other)
    return bool(gain >= -errors * error)


def _gain(ndcg: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The mean of the paired differences, and its standard error."""
    difference = ndcg - other
    return difference.mean(), difference.std() / np.sqrt(len(difference))


def _halves(
    validation: Validation,
    scorer: Scorer,
    residuals: np.ndarray | None,
    sums: Callable[[sp.csr_matrix], np.ndarray],
) -> tuple[Scores, Scores]:
    alone, known = replace(scorer, blend=0.0), validation.known
    return (
        lambda users: alone.scores(known[users], None if residuals is None else residuals[users]),
        lambda users: sums(scorer.capped(known[users])),
    )
