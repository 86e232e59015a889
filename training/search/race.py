"""Which model and training serve best, on validation and within a time: what is tried and how long.

It knows models by their settings and a validation part; no closed form and no final refit.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
import torch

from training.data import Interactions
from training.model import ModelConfig, Vectors
from training.named import Named
from training.running.loop import Report, TrainingConfig, train_model
from training.running.options import choose_device
from training.running.trained import Trained
from training.scorer import Scorer
from training.search.budget import epochs_within
from training.search.selection import ERRORS, Validation, costs_nothing
from training.world import World

SEARCHED = ("hops", "temperature")
SPRINT_SHARE = 0.4
"""Of the time, for comparing candidates that cannot all be trained to their end."""
SPRINT_EPOCHS = 6

FAR_BEHIND = 0.9
"""Of the NDCG that the best so far had as early: losses that learn slowly may still win."""

PACE_SHARE = 0.02
"""Of the time, for measuring how long an epoch takes."""

AS_QUICK = 1.15
"""Times the shortest epoch: less is the machine's noise."""

Candidate = tuple[ModelConfig, TrainingConfig]


@dataclass(frozen=True)
class Attempt:
    """A model trained on a validation's part, at its best epoch by the held-out rest.

    cosine: whether it is scored by the cosine; ndcg: [V] of each validation user; state: its
    parameters.
    """

    model: ModelConfig
    training: TrainingConfig
    cosine: bool
    ndcg: np.ndarray
    vectors: Vectors
    trained: Trained
    state: dict[str, torch.Tensor]

    @property
    def seconds_an_epoch(self) -> float:
        """With its validation."""
        return self.trained.seconds_an_epoch

    def after(self, epochs: int) -> float:
        """The NDCG of the last validation within so many epochs, 0 without one."""
        seen = [e["ndcg"] for e in self.trained.curve if "ndcg" in e and e["epoch"] <= epochs]
        return seen[-1] if seen else 0.0

    def row(self) -> dict:
        """For `model.json`."""
        return {
            "model": self.model.name,
            "hops": getattr(self.model, "hops", None),
            "loss": self.training.loss.described(),
            "score": "cosine" if self.cosine else "inner_product",
            "epochs": self.trained.epochs,
            "ndcg": self.trained.best,
            "seconds": round(self.trained.seconds, 2),
        }


Stage = Callable[[Attempt | None], Sequence[Candidate]]
"""What to try next, given the best so far; given nothing, what it would try at all."""

Run = Callable[[ModelConfig, TrainingConfig, float, Attempt | None], Attempt]
"""Trains for at most so many seconds; on from an attempt if given."""


def attempt(
    world: World,
    validation: Validation,
    model_config: ModelConfig,
    training: TrainingConfig,
    *,
    seed: int,
    report: Report,
    step: str,
    seconds: float = math.inf,
    start: Attempt | None = None,
) -> Attempt:
    """Train on `world`, which knows `validation.part` only, stopping early by the held-out rest;
    on from where `start` stands, if given.

    What is compared is the score that serves, of the model alone: what was trained by cosine is
    scored by the inner product where that is measurably better (with uncorrected in-batch negatives
    the lengths hold the popularity). Not beside item–item weights: what a weak model adds to those
    on validation it did not add on other entries (docs/benchmarks.md, accuracy). Raises
    DivergedError, and whatever `report` raises: each validation tells it its figures["ndcg"].
    """
    model = model_config.build(world, seed=seed, device=choose_device())
    if start:
        model.load_state_dict(start.state)
    ways = (True, False) if training.cosine else (False,)

    def each_way() -> list[np.ndarray]:
        found = []
        for way in ways:
            vectors = model.export(cosine=way)
            scorer = vectors_scorer(vectors, validation.part, cosine=way)
            found.append(validation.served(scorer, vectors.residuals))
        return found

    trained = train_model(
        model,
        world,
        training,
        seed,
        validate=lambda: float(max(ndcg.mean() for ndcg in each_way())),
        report=report,
        step=step,
        seconds=seconds,
    )
    if start:
        trained = trained.after(start.trained)
    first, *rest = each_way()
    cosine = training.cosine and costs_nothing(first, rest[0], ERRORS)
    return Attempt(
        model_config,
        training,
        cosine,
        first if cosine or not rest else rest[0],
        model.export(cosine=cosine),
        trained,
        {name: value.detach().clone() for name, value in model.state_dict().items()},
    )


def race(
    stages: Sequence[Stage],
    run: Run,
    seconds: float,
    quick: Sequence[Stage] = (),
) -> tuple[list[Attempt], Attempt]:
    """All that was tried, and what was chosen.

    Each stage's candidates, given the best so far, are trained to their end where `seconds` suffice
    for the first stage's; then the best one anew, twice as long, with a falling rate. The first
    stage has candidates whatever it is given.

    Otherwise every stage's candidates run equally long from nothing, a few epochs, and the quickest
    of the best goes on for the rest of the time. How long an epoch takes is measured with the first
    candidate: where not even one fits into its part of the sprint, the stages are those of `quick`,
    if there are any. One with another loss than the best so far is trained on only if it is not far
    behind after a few epochs.
    """
    started = time.monotonic()

    def left() -> float:
        return seconds - (time.monotonic() - started)

    def within(
        candidate: Candidate,
        epochs: int,
        seconds: float = math.inf,
        start: Attempt | None = None,
    ) -> Attempt:
        model, training = candidate
        # A run that is shorter than its validations' distance is still validated once, at its end.
        every = min(training.validate_every, epochs) if seconds == math.inf else 1
        limit = {"max_epochs": epochs - epochs % every, "validate_every": every}
        found = run(model, training.model_copy(update=limit), seconds, start)
        return replace(found, training=training)

    def pace(candidate: Candidate) -> float:
        return within(candidate, 1, PACE_SHARE * seconds).seconds_an_epoch

    first = stages[0](None)
    an_epoch = pace(first[0])
    if sum(an_epoch * training.max_epochs for _, training in first) > seconds:
        if quick and an_epoch > SPRINT_SHARE * left() / len(_candidates(stages)):
            return _sprint(quick, within, left, pace)
        return _sprint(stages, within, left, lambda _: an_epoch)
    tried = [within(first[0], first[0][1].max_epochs)]
    for stage in stages:
        for candidate in stage(best_of(tried)):
            best = best_of(tried)
            if _was_tried(candidate, tried):
                continue
            if stage is not stages[0] and left() < best.seconds_an_epoch * best.trained.epochs:
                break
            most = epochs_within(left(), best.seconds_an_epoch, candidate[1].max_epochs)
            if candidate[1].loss.name != best.training.loss.name:
                short = within(candidate, min(SPRINT_EPOCHS, most))
                tried.append(short)
                if (short.trained.best or 0.0) < FAR_BEHIND * best.after(SPRINT_EPOCHS):
                    continue
            tried.append(within(candidate, most))
    best = calmest(best_of(tried), tried)
    epochs = min(2 * best.trained.epochs, best.training.max_epochs)
    if left() < best.seconds_an_epoch * epochs:
        return tried, best
    last = within(_decaying((best.model, best.training), epochs), epochs)
    return [*tried, last], best_of([best, last])


def _sprint(
    stages: Sequence[Stage],
    within: Callable[..., Attempt],
    left: Callable[[], float],
    pace: Callable[[Candidate], float],
) -> tuple[list[Attempt], Attempt]:
    candidates = _candidates(stages)
    if len(candidates) == 1:
        [first] = candidates
        an_epoch = pace(first)
        most = epochs_within(left(), an_epoch, first[1].max_epochs)
        only = within(_decaying(first, most), most, left() if left() < an_epoch else math.inf)
        return [only], only
    share = SPRINT_SHARE * left()
    end = left() - share
    tried: list[Attempt] = []
    for stage in stages:
        for candidate in stage(quickest(tried) if tried else None):
            if not tried or (left() > end and not _was_tried(candidate, tried)):
                tried.append(within(candidate, SPRINT_EPOCHS, share / len(candidates)))
    best = quickest(tried)
    unspent = best.training.max_epochs - best.trained.epochs
    cut = left() < best.seconds_an_epoch
    if not unspent or left() <= 0 or (cut and best.trained.epochs > 1):
        return tried, best
    most = epochs_within(left(), best.seconds_an_epoch, unspent)
    falling = _decaying((best.model, best.training), most)
    last = within(falling, most, left() if cut else math.inf, best)
    return [*tried, last], best_of([best, last])


def _candidates(stages: Sequence[Stage]) -> list[Candidate]:
    """All that the stages would try at all, each once."""
    found: list[Candidate] = []
    for stage in stages:
        found += [candidate for candidate in stage(None) if candidate not in found]
    return found


def _decaying(candidate: Candidate, epochs: int) -> Candidate:
    """To its end whatever validation says on the way: the best is to come as the rate falls.

    On Gowalla six epochs reach so what ten do at one rate; on ML-100K twice the epochs are up to
    1 % better by validation.
    """
    model, training = candidate
    update = {"decay_epochs": epochs, "patience": min(epochs, 1_000)}
    return model, training.model_copy(update=update)


def _was_tried(candidate: Candidate, tried: Sequence[Attempt]) -> bool:
    return any(candidate == (found.model, found.training) for found in tried)


def best_of(tried: Sequence[Attempt]) -> Attempt:
    """The one that is best on validation."""
    return max(tried, key=lambda found: found.trained.best or 0.0)


def quickest(tried: Sequence[Attempt]) -> Attempt:
    """Of those that are not measurably worse than the best, the best among those whose epochs are
    the shortest: in the time that is left it is trained the longest."""
    best = best_of(tried)
    as_good = [found for found in tried if costs_nothing(found.ndcg, best.ndcg, ERRORS)]
    least = min(found.seconds_an_epoch for found in as_good)
    return best_of([found for found in as_good if found.seconds_an_epoch <= AS_QUICK * least])


def calmest(best: Attempt, tried: Sequence[Attempt]) -> Attempt:
    """Of those that differ from `best` in the loss's temperature alone and are within one standard
    error of it, the one with the highest: the least fitted to what is noise.

    The one-standard-error rule of Breiman et al. 1984, "Classification and Regression Trees".
    """

    def but_temperature(found: Attempt) -> tuple:
        loss = {**found.training.loss.described(), "temperature": None}
        return found.model, {**found.training.model_dump(), "loss": loss}

    alike = [
        found
        for found in tried
        if but_temperature(found) == but_temperature(best) and costs_nothing(found.ndcg, best.ndcg)
    ]
    return max(
        alike,
        key=lambda found: (getattr(found.training.loss, "temperature", 0.0), found.ndcg.mean()),
    )


def words(settings: Named) -> str:
    """The name and what is searched of `settings`, for a progress bar."""
    searched = [f"{key} {getattr(settings, key)}" for key in SEARCHED if hasattr(settings, key)]
    return " ".join([settings.name, *searched])


def vectors_scorer(
    vectors: Vectors,
    train: Interactions,
    *,
    cosine: bool,
    similar: sp.csr_matrix | None = None,
    blend: float = 0.0,
) -> Scorer:
    """The one score of `vectors`, with item–item weights `similar` [I, I] if given."""
    nothing = sp.csr_matrix((train.item_count, train.item_count), dtype=np.float32)
    return Scorer(
        vectors.item_vectors,
        vectors.event_vectors,
        nothing if similar is None else similar,
        blend,
        cosine=cosine,
        weight_cap=train.weight_cap,
    )
