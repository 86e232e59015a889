"""How sure a figure is: bootstrap intervals over users, and a paired test between two models.

It knows one number a user; not what it measures. Everything is drawn from a seed, the same for
every model, so that figures of the same users are resampled together.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from training.judging.judgement import Interval
from training.judging.metrics import exposure

RESAMPLES, LIST_RESAMPLES, FLIPS = 1_000, 100, 2_000
BATCH = 50
ENDS = (2.5, 97.5)
"""Percentiles: 95 % intervals."""


@dataclass(frozen=True)
class PerUser:
    """A mean over users, or a ratio of sums: Σ total / Σ count, `total` and `count` [T].

    root: the square root of that is the figure, as of RMSE.
    """

    total: np.ndarray
    count: np.ndarray
    root: bool = False

    @staticmethod
    def mean(values: np.ndarray) -> "PerUser":
        """The mean of `values` [T] over the users where they are not NaN."""
        known = ~np.isnan(values)
        return PerUser(np.where(known, values, 0.0), known.astype(float))

    @property
    def values(self) -> np.ndarray:
        """[T], NaN for users who have none."""
        nothing = np.full(len(self.total), np.nan)
        return np.divide(self.total, self.count, where=self.count > 0, out=nothing)


def intervals(measures: Mapping[str, PerUser], seed: int) -> dict[str, Interval]:
    """Percentile bootstrap over users (Efron 1979); what no user has is left out."""
    known = {name: measure for name, measure in measures.items() if measure.count.any()}
    if not known:
        return {}
    total = np.stack([measure.total for measure in known.values()], axis=1)
    count = np.stack([measure.count for measure in known.values()], axis=1)
    root = np.array([measure.root for measure in known.values()])

    def figure(weights: np.ndarray) -> np.ndarray:
        below = weights @ count
        found = np.divide(weights @ total, below, where=below > 0, out=np.full(below.shape, np.nan))
        return np.where(root, np.sqrt(np.abs(found)), found)

    value = figure(np.ones((1, len(total))))[0]
    drawn = np.concatenate([figure(weights) for weights in resamples(len(total), RESAMPLES, seed)])
    low, high = np.nanpercentile(drawn, ENDS, axis=0)
    return {
        name: Interval(value=value[n], low=low[n], high=high[n]) for n, name in enumerate(known)
    }


def list_interval(
    lists: np.ndarray, item_count: int, figure: Callable[[np.ndarray], float], seed: int
) -> Interval:
    """Of a `figure` of how often each item [I] is in the lists [T, k] of all users together.

    Resamples leave a third of the users out and so cover less: the interval is their spread about
    their own mean, placed about the figure.
    """
    value = figure(exposure(lists, item_count))
    drawn = [
        figure(exposure(lists, item_count, weights))
        for batch in resamples(len(lists), LIST_RESAMPLES, seed)
        for weights in batch
    ]
    low, high = np.percentile(drawn, ENDS) - np.mean(drawn)
    return Interval(value=value, low=value + min(low, 0.0), high=value + max(high, 0.0))


def resamples(users: int, count: int, seed: int) -> Iterator[np.ndarray]:
    """`count` draws of `users` with replacement, as float64 [at most BATCH, users] of how often."""
    generator = np.random.default_rng(seed)
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        rows = np.arange(size)[:, None] * users
        drawn = generator.integers(0, users, (size, users)) + rows
        yield np.bincount(drawn.ravel(), minlength=size * users).reshape(size, users).astype(float)


def permutation_p(differences: np.ndarray, seed: int) -> np.ndarray:
    """Two-sided p [M] of paired permutation tests on the means of `differences` [T, M].

    Under no difference each user's two figures might be exchanged: FLIPS times the signs of all are
    drawn, and p is the share of means at least as far from 0, the one found among them (Fisher).
    """
    generator = np.random.default_rng(seed)
    found = np.abs(differences.sum(axis=0))
    # Sums in another order differ in the last bits.
    least = found * (1 - 1e-9)
    beyond = np.ones(differences.shape[1])
    for start in range(0, FLIPS, BATCH):
        shape = (min(BATCH, FLIPS - start), len(differences))
        signs = generator.integers(0, 2, shape, dtype=np.int8) * 2.0 - 1
        beyond += (np.abs(signs @ differences) >= least).sum(axis=0)
    return beyond / (FLIPS + 1)
