"""The default recipe: a model and truncated item–item weights in the one score, chosen on
validation within a time, and refitted on everything.

It knows interactions and scores; neither files nor snapshots.
"""

import math
import time
from dataclasses import dataclass, replace

from training.closed_form import ClosedFormConfig
from training.closed_forms.chebycf import ChebycfConfig
from training.closed_forms.ease import EaseConfig
from training.closed_forms.itemknn import ItemknnConfig
from training.fitted import Fitted, Settings, refit
from training.losses.bsl import BslConfig
from training.model import ModelConfig
from training.models.lightgcn import LightGCNConfig
from training.running.loop import Progress, Report, TrainingConfig, silent
from training.search.budget import Budget, epochs_within
from training.search.climb import ChosenForm, choose_form
from training.search.race import (
    SPRINT_SHARE,
    Attempt,
    Candidate,
    attempt,
    race,
    vectors_scorer,
    words,
)
from training.search.selection import ItemHalf, Validation, choose_blend, choose_truncation
from training.splits import latest_split
from training.world import World

VALIDATION_SHARE = 0.1
CLIMB_SHARE = 0.04
"""Of the time, for the settings of each closed form."""
WARM_SHARE = 0.25
"""Of the epochs: a refit that cannot start anew goes on so long from what validation trained."""
SPARSE = TrainingConfig(
    loss=BslConfig(), learning_rate=2e-3, batch_size=2048, weight_decay=0, max_epochs=100
)
"""Uncorrected in-batch negatives: better on sparse data, ruinous on dense."""


@dataclass(frozen=True)
class RecipeConfig:
    """What is tried on validation.

    training and, where it is left as it is, `others`, with the first of `hops`; then the best of
    them with the other hops; then its loss at its temperature times `temperature_ratios`, and from
    the best one on once more. forms: closed forms, from these settings on, first what is taken
    where none is measurably better; those that the catalogue is too large for are left out.
    minutes: search and refit together; what does not fit is not tried. fixed: settings that keep
    their value, named as in "model.hops"; alone: whether the model serves without a closed form;
    trials: what was tried on validation before, kept with what is tried now.
    """

    model: ModelConfig = LightGCNConfig()
    training: TrainingConfig = TrainingConfig()
    others: tuple[TrainingConfig, ...] = (SPARSE,)
    hops: tuple[int, ...] = (2, 1, 3)
    temperature_ratios: tuple[float, ...] = (3 / 4, 4 / 3)
    forms: tuple[ClosedFormConfig, ...] = (EaseConfig(), ChebycfConfig(), ItemknnConfig())
    truncations: tuple[int, ...] = (50, 100, 200, 400)
    minutes: float = 25
    fixed: frozenset[str] = frozenset()
    alone: bool = False
    trials: tuple[dict, ...] = ()


@dataclass(frozen=True)
class _Searched:
    """The choice, and where a refit in a hurry may go on from."""

    settings: Settings
    best: Attempt | None = None
    item_seconds: float = 0.0


def fit(
    world: World,
    config: RecipeConfig | None = None,
    *,
    seed: int = 1,
    report: Report = silent,
) -> Fitted:
    """Choose settings on a validation part of the world, then refit on all of it.

    The refit starts anew if that fits into what is left of the time, else it goes on from the
    model that validation trained.
    """
    config = config or RecipeConfig()
    budget = Budget(config.minutes)
    found = _search(world, config, budget, seed, report)
    settings, best = found.settings, found.best
    searched = time.monotonic() - budget.started
    left = max(0.0, budget.seconds_left - found.item_seconds)
    start, seconds = None, math.inf
    if best is None:
        seconds = left
    else:
        epochs = settings.training.max_epochs
        fitting = epochs_within(left, best.seconds_an_epoch / (1 - VALIDATION_SHARE), epochs)
        if fitting < epochs:
            start, seconds = best.state, left
            fitting = min(fitting, max(1, round(WARM_SHARE * epochs)))
            settings = replace(settings, training=settings.training.lasting(fitting))
    fitted = refit(world, settings, seed=seed, report=report, start=start, seconds=seconds)
    return replace(fitted, settings=found.settings, seconds={"search": searched, **fitted.seconds})


def search(world: World, config: RecipeConfig, *, seed: int, report: Report) -> Settings:
    """Choose every setting on the latest tenth of each user (at random without time).

    Where nobody has two items, or nothing positive is left, there is no such part: then the
    defaults are the choice, of which as much is trained as the time allows.
    """
    return _search(world, config, Budget(config.minutes), seed, report).settings


def _search(
    world: World, config: RecipeConfig, budget: Budget, seed: int, report: Report
) -> _Searched:
    train = world.interactions
    part, held = latest_split(train, VALIDATION_SHARE, seed)
    validation = Validation.of(part, held, seed)
    forms = [] if config.alone else _able(config.forms, train.item_count)
    if not len(validation.users) or not (part.weight > 0).any():
        half = ItemHalf(forms[0], blend=1.0) if forms else ItemHalf()
        return _Searched(_unsearched(config, half))
    trials = [*config.trials, *_refusals(config, forms)]
    items = None
    if forms:
        report(Progress("closed forms", 0, 1))
        seconds = budget.seconds(CLIMB_SHARE)
        items = choose_form(forms, validation, seconds, max(config.truncations))
        trials += items.trials
        report(Progress("closed forms", 1, 1))
    tried, best = _choose_model(
        world.with_interactions(part),
        validation,
        config,
        _training_seconds(budget, items),
        seed,
        report,
    )
    trials += [found.row() for found in tried]
    settings = Settings(
        best.model,
        best.training.lasting(best.trained.epochs),
        ItemHalf(),
        cosine=best.cosine,
        trials=trials,
        curve=best.trained.curve,
    )
    if not items:
        return _Searched(settings, best)
    report(Progress("blend", 0, 1))
    half, untruncated, rows = _blend(validation, best, items, config.truncations)
    report(Progress("blend", 1, 1))
    return _Searched(
        replace(
            settings,
            closed_form=half,
            untruncated=untruncated,
            baselines=items.baselines,
            trials=trials + rows,
        ),
        best,
        items.seconds,
    )


def _able(forms: tuple[ClosedFormConfig, ...], item_count: int) -> list[ClosedFormConfig]:
    return [form for form in forms if form.most_items is None or item_count <= form.most_items]


def _refusals(config: RecipeConfig, forms: list[ClosedFormConfig]) -> list[dict]:
    """The forms that are not tried, each with the reason."""
    reasons = {
        form.name: "the model is asked for alone"
        if config.alone
        else f"more than {form.most_items:,} items"
        for form in config.forms
        if form not in forms
    }
    return [{"model": name, "refused": reason} for name, reason in reasons.items()]


def _unsearched(config: RecipeConfig, half: ItemHalf) -> Settings:
    return Settings(
        config.model,
        config.training,
        half,
        cosine=config.training.cosine,
        untruncated=half.blend,
        trials=list(config.trials),
    )


def _training_seconds(budget: Budget, items: ChosenForm | None) -> float:
    """What the search for a model may take, so that λ and a refit still fit: a quarter of the
    epochs of the longest run, which gets what a sprint leaves and knows less than all."""
    reserved = 1.25 * items.seconds + items.blending_seconds if items else 0.0
    refitting = WARM_SHARE * (1 - SPRINT_SHARE) / (1 - VALIDATION_SHARE)
    return max(0.0, budget.seconds_left - reserved) / (1 + refitting)


def _choose_model(
    world: World,
    validation: Validation,
    config: RecipeConfig,
    seconds: float,
    seed: int,
    report: Report,
) -> tuple[list[Attempt], Attempt]:
    others = config.others if config.training == TrainingConfig() else ()
    models = [config.model]
    if hasattr(config.model, "hops") and "model.hops" not in config.fixed:
        models = [config.model.model_copy(update={"hops": hops}) for hops in config.hops]

    quickest = min(models, key=lambda model: getattr(model, "hops", 0))

    def by_training(best: Attempt | None) -> list[Candidate]:
        return [(models[0], training) for training in (config.training, *others)]

    def by_training_quickly(best: Attempt | None) -> list[Candidate]:
        return [(quickest, training) for _, training in by_training(best)]

    def by_hops(best: Attempt | None) -> list[Candidate]:
        training = best.training if best else config.training
        return [(model, training) for model in models[1:]]

    def by_temperature(best: Attempt | None) -> list[Candidate]:
        if "loss.temperature" in config.fixed:
            return []
        model, training = (best.model, best.training) if best else (quickest, config.training)
        found = []
        for ratio in config.temperature_ratios:
            # Rounded, so that there and back is a temperature that was tried.
            temperature = round(training.loss.temperature * ratio, 6)
            loss = training.loss.model_copy(update={"temperature": temperature})
            found.append((model, training.model_copy(update={"loss": loss})))
        return found

    def run(
        model: ModelConfig, training: TrainingConfig, seconds: float, start: Attempt | None
    ) -> Attempt:
        step = f"search: {words(model)}, {words(training.loss)}"
        return attempt(
            world,
            validation,
            model,
            training,
            seed=seed,
            report=report,
            step=step,
            seconds=seconds,
            start=start,
        )

    temperatures = [by_temperature, by_temperature]
    stages = [by_training, by_hops, *temperatures]
    return race(stages, run, seconds, quick=[by_training_quickly, *temperatures])


def _blend(
    validation: Validation, best: Attempt, items: ChosenForm, truncations: tuple[int, ...]
) -> tuple[ItemHalf, float, list[dict]]:
    """The item–item half, λ of the whole matrix, and what was tried."""
    scorer = vectors_scorer(best.vectors, validation.part, cosine=best.cosine)
    residuals = best.vectors.residuals
    whole = choose_blend(validation, scorer, residuals, items.whole.scores)
    k, found, rows = choose_truncation(
        replace(validation, users=validation.users[: items.asked]),
        scorer,
        residuals,
        replace(whole, ndcg=whole.ndcg[: items.asked]),
        items.cut,
        truncations,
    )
    half = ItemHalf(items.form, k, found.blend)
    return half, whole.blend, [{"model": "blend", **whole.row()}, *rows]
