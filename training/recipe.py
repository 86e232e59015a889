"""The default recipe: LightGCN and a truncated EASE in the one score, settings from validation.

It knows interactions and scores; neither files nor snapshots.
"""

import time
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import scipy.sparse as sp

from training.baselines import baselines, default_forms
from training.closed_forms.ease import MAX_ITEMS, Ease, EaseConfig
from training.data import Interactions
from training.evaluation import rank, scorer_scores
from training.loop import (
    Progress,
    Report,
    Trained,
    TrainingConfig,
    choose_device,
    silent,
    train_model,
)
from training.model import ModelConfig, Vectors
from training.models.lightgcn import LightGCNConfig
from training.named import Named
from training.scorer import Scorer
from training.selection import ClosedForm, Validation, choose_closed_form
from training.splits import latest_split
from training.truncation import truncate
from training.world import World

VALIDATION_SHARE = 0.1
SEARCHED = ("hops", "temperature")
SEARCH_EDGES = 1_000_000
"""Beyond so many edges the model's first settings are taken without comparison."""


@dataclass(frozen=True)
class RecipeConfig:
    """What is tried on validation: all `hops` at the first temperature, then the others."""

    model: ModelConfig = LightGCNConfig()
    training: TrainingConfig = TrainingConfig()
    hops: tuple[int, ...] = (2, 1, 3)
    temperatures: tuple[float, ...] = (0.2, 0.15, 0.25)
    regs: tuple[float, ...] = (50, 100, 200, 350, 500, 700, 1000)
    truncations: tuple[int, ...] = (50, 100, 200, 400)


@dataclass(frozen=True)
class Settings:
    """What validation chose, frozen for every refit; `trials` is everything that was tried."""

    model: ModelConfig
    training: TrainingConfig
    closed_form: ClosedForm
    trials: list[dict] = field(default_factory=list)

    def recipe(self) -> dict:
        """For `model.json`."""
        return {
            "model": self.model.described(),
            "training": self.training.described(),
            "closed_form": asdict(self.closed_form),
        }


@dataclass(frozen=True)
class Fitted:
    """A recipe fitted to a world: everything that scores, and the raw `weights` by name."""

    world: World
    scorer: Scorer
    residuals: np.ndarray | None
    weights: dict[str, np.ndarray]
    settings: Settings
    seconds: dict[str, float]


@dataclass(frozen=True)
class _Trial:
    model: ModelConfig
    training: TrainingConfig
    vectors: Vectors
    trained: Trained

    def row(self) -> dict:
        return {
            "model": self.model.name,
            "hops": getattr(self.model, "hops", None),
            "loss": self.training.loss.described(),
            "epochs": self.trained.epochs,
            "ndcg": self.trained.best,
            "seconds": round(self.trained.seconds, 2),
        }


def fit(
    world: World,
    config: RecipeConfig | None = None,
    *,
    seed: int = 1,
    report: Report = silent,
) -> Fitted:
    """Choose settings on a validation part of the world, then refit on all of it."""
    started = time.monotonic()
    settings = search(world, config or RecipeConfig(), seed=seed, report=report)
    searched = time.monotonic() - started
    fitted = refit(world, settings, seed=seed, report=report)
    return replace(fitted, seconds={"search": searched, **fitted.seconds})


def search(world: World, config: RecipeConfig, *, seed: int, report: Report) -> Settings:
    """Choose every setting on the latest tenth of each user (at random without time).

    Where nobody has two items there is no such part: then the defaults are the choice.
    """
    train = world.interactions
    part, held = latest_split(train, VALIDATION_SHARE, seed)
    validation = Validation.of(part, held, seed)
    if not len(validation.users):
        return Settings(config.model, config.training, ClosedForm())
    tried = _search_model(world.with_interactions(part), validation, config, seed, report)
    best = max(tried, key=lambda trial: trial.trained.best)
    scorer = _scorer(best.vectors, part, _no_weights(part), 0.0)
    trials = [trial.row() for trial in tried]
    closed_form = ClosedForm(blend=0.0)
    if train.item_count > MAX_ITEMS:
        trials.append({"model": "ease", "refused": f"more than {MAX_ITEMS:,} items"})
    else:
        report(Progress("closed form", 0, 1))
        closed_form, rows = choose_closed_form(
            validation, scorer, best.vectors.residuals, config.regs, config.truncations
        )
        trials += rows
        report(Progress("closed form", 1, 1))
    training = best.training.model_copy(update={"max_epochs": best.trained.epochs})
    return Settings(best.model, training, closed_form, trials)


def refit(
    world: World,
    settings: Settings,
    *,
    seed: int,
    report: Report = silent,
    step: str = "refit",
) -> Fitted:
    """Train on all of `train` with frozen settings, its number of epochs among them."""
    started = time.monotonic()
    train = world.interactions
    model = settings.model.build(world, seed=seed, device=choose_device())
    train_model(model, world, settings.training, seed, report=report, step=step)
    vectors, chosen = model.export(), settings.closed_form
    similar = _no_weights(train)
    if chosen.blend:
        similar = truncate(Ease(world.graph).weights(chosen.reg), chosen.truncation)
    return Fitted(
        world=world,
        scorer=_scorer(vectors, train, similar, chosen.blend),
        residuals=vectors.residuals,
        weights={name: w.detach().cpu().numpy() for name, w in model.named_parameters()},
        settings=settings,
        seconds={step: time.monotonic() - started},
    )


def judge(fitted: Fitted, test: Interactions, k: int = 10) -> dict[str, dict[str, float]]:
    """Metrics on `test` of the score that serves, its two halves alone, and the baselines.

    "ease" is not truncated.
    """
    train, scorer = fitted.world.interactions, fitted.scorer
    known, popularity = train.history(), train.popularity()
    wanted = test.take(test.weight > 0).history()
    alone = replace(scorer, blend=0.0)
    reg = fitted.settings.closed_form.reg
    forms = (
        EaseConfig(reg=reg) if isinstance(form, EaseConfig) else form
        for form in default_forms(train.item_count)
    )
    models = {
        "default": scorer_scores(scorer, known, fitted.residuals, popularity),
        fitted.settings.model.name: scorer_scores(alone, known, fitted.residuals, popularity),
        **baselines(fitted.world, forms=tuple(forms)),
    }
    return {name: rank(scores, known, wanted, k).metrics() for name, scores in models.items()}


def _search_model(world, validation, config, seed, report) -> list[_Trial]:
    def tempered(temperature: float) -> TrainingConfig:
        loss = config.training.loss.model_copy(update={"temperature": temperature})
        return config.training.model_copy(update={"loss": loss})

    first = tempered(config.temperatures[0])

    def attempt(model: ModelConfig, training: TrainingConfig) -> _Trial:
        step = f"search: {_words(model)}, {_words(training.loss)}"
        return _attempt(world, validation, model, training, seed, report, step)

    if len(validation.part) > SEARCH_EDGES:
        return [attempt(config.model, first)]
    models = [config.model]
    if hasattr(config.model, "hops"):
        models = [config.model.model_copy(update={"hops": hops}) for hops in config.hops]
    tried = [attempt(model, first) for model in models]
    best = max(tried, key=lambda trial: trial.trained.best)
    rest = config.temperatures[1:]
    return tried + [attempt(best.model, tempered(temperature)) for temperature in rest]


def _words(settings: Named) -> str:
    searched = [f"{key} {getattr(settings, key)}" for key in SEARCHED if hasattr(settings, key)]
    return " ".join([settings.name, *searched])


def _attempt(world, validation, model_config, training, seed, report, step) -> _Trial:
    part = validation.part
    nothing = _no_weights(part)
    model = model_config.build(world, seed=seed, device=choose_device())

    def validate() -> float:
        vectors = model.export()
        return validation.ndcg(_scorer(vectors, part, nothing, 0.0), vectors.residuals)

    trained = train_model(model, world, training, seed, validate=validate, report=report, step=step)
    return _Trial(model_config, training, model.export(), trained)


def _scorer(vectors: Vectors, train: Interactions, similar: sp.csr_matrix, blend: float) -> Scorer:
    return Scorer(
        vectors.item_vectors, vectors.event_vectors, similar, blend, weight_cap=train.weight_cap
    )


def _no_weights(train: Interactions) -> sp.csr_matrix:
    return sp.csr_matrix((train.item_count, train.item_count), dtype=np.float32)
