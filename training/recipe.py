"""The default recipe: a model and truncated item–item weights in the one score, chosen on
validation within a time, and refitted on everything.

It knows interactions and scores; neither files nor snapshots.
"""

import time
from dataclasses import dataclass, field, replace

import numpy as np

from training.budget import Budget, epochs_within
from training.climb import ChosenForms, choose_forms
from training.closed_form import ClosedFormConfig, ItemWeights, Mixture
from training.closed_forms.chebycf import ChebycfConfig
from training.closed_forms.ease import EaseConfig
from training.closed_forms.itemknn import ItemknnConfig
from training.evaluation import Scores, scorer_scores
from training.loop import Progress, Report, TrainingConfig, silent, train_model
from training.losses.bsl import BslConfig
from training.model import ModelConfig
from training.models.lightgcn import LightGCNConfig
from training.options import choose_device
from training.race import Attempt, Candidate, attempt, best_of, race, vectors_scorer, words
from training.scorer import Scorer
from training.selection import ItemHalf, Validation, choose_blend, choose_truncation
from training.splits import latest_split
from training.world import World

VALIDATION_SHARE = 0.1
CLIMB_SHARE = 0.06
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

    training with all `hops`; then, where it is left as it is, `others` with the best of them; then
    the best one's loss at its temperature times `temperature_ratios`. forms: closed forms, from
    these settings on; those that the catalogue is too large for are left out. minutes: search and
    refit together; what does not fit is not tried. fixed: settings that keep their value, named as
    in "model.hops"; alone: whether the model serves without a closed form; trials: what was tried
    on validation before, kept with what is tried now.
    """

    model: ModelConfig = LightGCNConfig()
    training: TrainingConfig = TrainingConfig()
    others: tuple[TrainingConfig, ...] = (SPARSE,)
    hops: tuple[int, ...] = (2, 1, 3)
    temperature_ratios: tuple[float, ...] = (0.75, 1.25)
    forms: tuple[ClosedFormConfig, ...] = (EaseConfig(), ChebycfConfig(), ItemknnConfig())
    truncations: tuple[int, ...] = (50, 100, 200, 400)
    minutes: float = 25
    fixed: frozenset[str] = frozenset()
    alone: bool = False
    trials: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What validation chose, frozen for every refit.

    cosine: whether the model is scored by it; untruncated: λ of the whole item–item matrix;
    baselines: the closed forms beside which the recipe is judged, with their own best settings;
    trials: everything that was tried; curve: the chosen model's epochs (training.loop.Trained).
    """

    model: ModelConfig
    training: TrainingConfig
    closed_form: ItemHalf
    cosine: bool = True
    untruncated: float = 0.0
    baselines: tuple[ClosedFormConfig, ...] | None = None
    trials: list[dict] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)

    def recipe(self) -> dict:
        """For `model.json`."""
        return {
            "model": self.model.described(),
            "training": self.training.described(),
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
    start = None
    if best is not None:
        epochs = settings.training.max_epochs
        fitting = epochs_within(
            budget.seconds_left - found.item_seconds,
            best.seconds_an_epoch / (1 - VALIDATION_SHARE),
            epochs,
        )
        if fitting < epochs:
            start = best
            training = settings.training.model_copy(
                update={"max_epochs": min(fitting, max(1, round(WARM_SHARE * epochs)))}
            )
            settings = replace(settings, training=training)
    fitted = _refit(world, settings, seed, report, "refit", start)
    return replace(fitted, settings=found.settings, seconds={"search": searched, **fitted.seconds})


def search(world: World, config: RecipeConfig, *, seed: int, report: Report) -> Settings:
    """Choose every setting on the latest tenth of each user (at random without time).

    Where nobody has two items, or nothing positive is left, there is no such part: then the
    defaults are the choice.
    """
    return _search(world, config, Budget(config.minutes), seed, report).settings


def refit(
    world: World,
    settings: Settings,
    *,
    seed: int,
    report: Report = silent,
    step: str = "refit",
) -> Fitted:
    """Train on all of `world` with frozen settings, its number of epochs among them."""
    return _refit(world, settings, seed, report, step, None)


def untruncated_scores(fitted: Fitted) -> Scores:
    """What could be had if every item–item weight were served, with the λ that is best then."""
    train = fitted.world.interactions
    known, popularity = train.history(), train.popularity()
    alone = scorer_scores(replace(fitted.scorer, blend=0.0), known, fitted.residuals, popularity)
    whole, blend = fitted.whole, np.float32(fitted.settings.untruncated)
    if whole is None:
        return alone
    return lambda users: alone(users) + blend * whole.scores(fitted.scorer.capped(known[users]))


def _search(
    world: World, config: RecipeConfig, budget: Budget, seed: int, report: Report
) -> _Searched:
    train = world.interactions
    part, held = latest_split(train, VALIDATION_SHARE, seed)
    validation = Validation.of(part, held, seed)
    forms = [] if config.alone else _able(config.forms, train.item_count)
    if not len(validation.users) or not (part.weight > 0).any():
        half = ItemHalf(((forms[0], 1.0),), blend=1.0) if forms else ItemHalf()
        return _Searched(_unsearched(config, half))
    trials = [*config.trials, *_refusals(config, forms)]
    items = None
    if forms:
        report(Progress("closed forms", 0, 1))
        seconds = budget.seconds(CLIMB_SHARE)
        items = choose_forms(forms, validation, seconds, max(config.truncations))
        trials += items.trials
        report(Progress("closed forms", 1, 1))
    tried = _choose_model(
        world.with_interactions(part),
        validation,
        config,
        _training_seconds(budget, items),
        seed,
        report,
    )
    best = best_of(tried)
    trials += [found.row() for found in tried]
    settings = Settings(
        best.model,
        best.training.model_copy(update={"max_epochs": best.trained.epochs}),
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


def _training_seconds(budget: Budget, items: ChosenForms | None) -> float:
    """What the search for a model may take, so that λ and a refit still fit."""
    reserved = 2 * items.seconds + items.blending_seconds if items else 0.0
    return max(0.0, budget.seconds_left - reserved) / (1 + WARM_SHARE)


def _choose_model(
    world: World,
    validation: Validation,
    config: RecipeConfig,
    seconds: float,
    seed: int,
    report: Report,
) -> list[Attempt]:
    others = config.others if config.training == TrainingConfig() else ()
    models = [config.model]
    if hasattr(config.model, "hops") and "model.hops" not in config.fixed:
        models = [config.model.model_copy(update={"hops": hops}) for hops in config.hops]

    def by_hops(best: Attempt | None) -> list[Candidate]:
        return [(model, config.training) for model in models]

    def by_loss(best: Attempt | None) -> list[Candidate]:
        found = models if best is None else [best.model]
        return [(model, training) for training in others for model in found]

    def by_temperature(best: Attempt | None) -> list[Candidate]:
        if best is None or "loss.temperature" in config.fixed:
            return []
        loss, found = best.training.loss, []
        for ratio in config.temperature_ratios:
            other = loss.model_copy(update={"temperature": loss.temperature * ratio})
            found.append((best.model, best.training.model_copy(update={"loss": other})))
        return found

    def run(model: ModelConfig, training: TrainingConfig) -> Attempt:
        step = f"search: {words(model)}, {words(training.loss)}"
        return attempt(world, validation, model, training, seed=seed, report=report, step=step)

    return race([by_hops, by_loss, by_temperature], run, seconds)


def _blend(
    validation: Validation, best: Attempt, items: ChosenForms, truncations: tuple[int, ...]
) -> tuple[ItemHalf, float, list[dict]]:
    """The item–item half, λ of the whole matrix, and what was tried."""
    scorer = vectors_scorer(best.vectors, validation.part, cosine=best.cosine)
    residuals = best.vectors.residuals
    whole = choose_blend(validation, scorer, residuals, items.whole.scores)
    k, found, rows = choose_truncation(validation, scorer, residuals, whole, items.cut, truncations)
    half = ItemHalf(items.forms, k, found.blend)
    return half, whole.blend, [{"model": "blend", **whole.row()}, *rows]


def _refit(
    world: World,
    settings: Settings,
    seed: int,
    report: Report,
    step: str,
    start: Attempt | None,
) -> Fitted:
    """From `start`'s parameters if given, else anew."""
    started = time.monotonic()
    model = settings.model.build(world, seed=seed, device=choose_device())
    if start is not None:
        model.load_state_dict(start.state)
    train_model(model, world, settings.training, seed, report=report, step=step)
    vectors = model.export(cosine=settings.cosine)
    half, whole, similar = settings.closed_form, None, None
    if half.blend:
        whole = Mixture([(form.fit(world.graph), weight) for form, weight in half.forms])
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
