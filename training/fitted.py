"""A recipe with frozen settings, fitted to a world: everything that scores.

It knows interactions and settings; not how these were chosen.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from training.closed_form import ClosedFormConfig, ItemWeights
from training.judging.evaluation import Scores, scorer_scores
from training.model import ModelConfig
from training.running.loop import Report, TrainingConfig, silent, train_model
from training.running.options import choose_device
from training.scorer import Scorer
from training.search.race import vectors_scorer
from training.search.selection import ItemHalf
from training.world import World


@dataclass(frozen=True)
class Settings:
    """What validation chose, frozen for every refit.

    training: of a run from nothing; resumed: of one that goes on from an earlier artifact's
    parameters, in place of it; cosine: whether the model is scored by it; untruncated: λ of the
    whole item–item matrix; baselines: the closed forms beside which the recipe is judged, with
    their own best settings; trials: everything that was tried; curve: the chosen model's epochs
    (training.running.loop.Trained).
    """

    model: ModelConfig
    training: TrainingConfig
    closed_form: ItemHalf
    cosine: bool = True
    untruncated: float = 0.0
    baselines: tuple[ClosedFormConfig, ...] | None = None
    trials: list[dict] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)
    resumed: TrainingConfig | None = None

    def recipe(self) -> dict:
        """For `model.json`."""
        resumed = {} if self.resumed is None else {"resumed": self.resumed.described()}
        return {
            "model": self.model.described(),
            "training": self.training.described(),
            **resumed,
            "closed_form": self.closed_form.described(),
            "score": "cosine" if self.cosine else "inner_product",
        }


@dataclass(frozen=True)
class Fitted:
    """A recipe fitted to a world: everything that scores, and the raw `weights` by name.

    whole: the item–item weights that `scorer` has truncated, None where it has none.
    """

    world: World
    scorer: Scorer
    residuals: np.ndarray | None
    weights: dict[str, np.ndarray]
    settings: Settings
    seconds: dict[str, float]
    whole: ItemWeights | None = None


def refit(
    world: World,
    settings: Settings,
    *,
    seed: int,
    report: Report = silent,
    step: str = "refit",
    start: Mapping[str, torch.Tensor] | None = None,
    seconds: float = math.inf,
) -> Fitted:
    """Train on all of `world` with frozen settings, its number of epochs among them, for at most
    `seconds`; from the parameters `start` if given."""
    started = time.monotonic()
    model = settings.model.build(world, seed=seed, device=choose_device())
    if start is not None:
        model.load_state_dict(start)
    training = settings.resumed or settings.training
    train_model(model, world, training, seed, report=report, step=step, seconds=seconds)
    vectors = model.export(cosine=settings.cosine)
    half, whole, similar = settings.closed_form, None, None
    if half.form and half.blend:
        whole = half.form.fit(world.graph)
        similar = whole.truncated(half.truncation, world.graph.shape[1])
    return Fitted(
        world=world,
        scorer=vectors_scorer(
            vectors, world.interactions, cosine=settings.cosine, similar=similar, blend=half.blend
        ),
        residuals=vectors.residuals,
        weights={name: w.detach().cpu().numpy() for name, w in model.named_parameters()},
        settings=settings,
        seconds={step: time.monotonic() - started},
        whole=whole,
    )


def untruncated_scores(fitted: Fitted) -> Scores:
    """What could be had if every item–item weight were served, with the λ that is best then."""
    train = fitted.world.interactions
    known, popularity = train.history(), train.popularity()
    alone = scorer_scores(replace(fitted.scorer, blend=0.0), known, fitted.residuals, popularity)
    whole, blend = fitted.whole, np.float32(fitted.settings.untruncated)
    if whole is None:
        return alone
    return lambda users: alone(users) + blend * whole.scores(fitted.scorer.capped(known[users]))
