"""Whether what was refitted on everything is what was judged, grown.

It knows two fitted recipes; no files. Whether vectors are finite is seen where they are written.
"""

import numpy as np

from training.errors import TrainingError
from training.fitted import Fitted
from training.judging.evaluation import Ranking, rank, scorer_scores

TOP, PEOPLE, LEAST_PEOPLE = 20, 500, 30
LEAST_OVERLAP = 0.2
"""Fewer than LEAST_PEOPLE say nothing. By one moment for all the refit of ML-100K kept .83 of its
lists, one of events drawn at random .65; with the items' rows permuted .01 and .04."""


class RefitError(TrainingError):
    """What was refitted is not what was judged; the message says in what."""


def check_refit(judged: Fitted, final: Fitted, seed: int) -> None:
    """Hold sizes, and the first TOP of a seeded sample of people on the history that was judged.

    Raises RefitError, DivergedError where a score is NaN.
    """
    _check_sizes(judged, final)
    shared = overlap(judged, final, seed)
    if shared is not None and shared < LEAST_OVERLAP:
        raise RefitError(
            f"the refit on everything recommends something else than what was judged: {shared:.0%}"
            f" of the first {TOP} are the same, expected at least {LEAST_OVERLAP:.0%}"
        )


def overlap(judged: Fitted, final: Fitted, seed: int) -> float | None:
    """The share of the judged lists' items that are in the refit's, None for too few people."""
    people = np.flatnonzero(np.diff(judged.world.interactions.history().indptr))
    if len(people) < LEAST_PEOPLE:
        return None
    drawn = np.sort(np.random.default_rng(seed).permutation(people)[:PEOPLE])
    mine, grown = (_lists(fitted, judged, drawn).items for fitted in (judged, final))
    kept = [len(np.intersect1d(a[a >= 0], b[b >= 0])) for a, b in zip(mine, grown, strict=True)]
    return float(np.sum(kept) / max(1, (mine >= 0).sum()))


def _lists(fitted: Fitted, judged: Fitted, people: np.ndarray) -> Ranking:
    data = judged.world.interactions
    history = data.history()
    scores = scorer_scores(fitted.scorer, history, fitted.residuals, data.popularity())
    return rank(scores, history, history, TOP, people)


def _check_sizes(judged: Fitted, final: Fitted) -> None:
    data, d = final.world.interactions, judged.scorer.item_vectors.shape[1]
    users, items = data.user_count, data.item_count
    expected = {
        "item_vectors": (final.scorer.item_vectors, (items, d)),
        "event_vectors": (final.scorer.event_vectors, (items, d)),
        "similar": (final.scorer.similar, (items, items)),
        "residuals": (final.residuals, (users, d)),
    }
    for name, (array, shape) in expected.items():
        if array is not None and array.shape != shape:
            raise RefitError(f"the refit's {name} are {array.shape}, expected {shape}")
