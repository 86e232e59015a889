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
    silent,
    train_model,
)
from training.model import ModelConfig, Vectors
from training.models.lightgcn import LightGCNConfig
from training.named import Named
from training.options import choose_device
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
    """What is tried on validation: all `hops` at the first temperature, then the others.

    fixed: settings that keep their value, named as in "model.hops"; alone: whether the model serves
    without a closed form; trials: what was tried on validation before, kept with what is tried now.
    """

    model: ModelConfig = LightGCNConfig()
    training: TrainingConfig = TrainingConfig()
    hops: tuple[int, ...] = (2, 1, 3)
    temperatures: tuple[float, ...] = (0.2, 0.15, 0.25)
    regs: tuple[float, ...] = (50, 100, 200, 350, 500, 700, 1000)
    truncations: tuple[int, ...] = (50, 100, 200, 400)
    fixed: frozenset[str] = frozenset()
    alone: bool = False
    trials: tuple[dict, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What validation chose, frozen for every refit; `trials` is everything that was tried, `curve`
    the chosen model's epochs (training.loop.Trained)."""

    model: ModelConfig
    training: TrainingConfig
    closed_form: ClosedForm
    trials: list[dict] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)

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
class Attempt:
    """A model trained on a validation's part, at its best epoch by the held-out rest."""

    model: ModelConfig
    training: TrainingConfig
    vectors: Vectors
    trained: Trained

    def row(self) -> dict:
        """For `model.json`."""
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

    Where nobody has two items, or nothing positive is left, there is no such part: then the
    defaults are the choice.
    """
    train = world.interactions
    part, held = latest_split(train, VALIDATION_SHARE, seed)
    validation = Validation.of(part, held, seed)
    nothing = ClosedForm(blend=0.0)
    if not len(validation.users) or not (part.weight > 0).any():
        closed_form = nothing if config.alone else ClosedForm()
        return Settings(config.model, config.training, closed_form, list(config.trials))
    tried = _search_model(world.with_interactions(part), validation, config, seed, report)
    best = max(tried, key=lambda trial: trial.trained.best)
    scorer = _scorer(best.vectors, part, _no_weights(part), 0.0, cosine=best.training.cosine)
    trials = [*config.trials, *(trial.row() for trial in tried)]
    closed_form = nothing
    if config.alone:
        trials.append({"model": "ease", "refused": "the model is asked for alone"})
    elif train.item_count > MAX_ITEMS:
        trials.append({"model": "ease", "refused": f"more than {MAX_ITEMS:,} items"})
    else:
        report(Progress("closed form", 0, 1))
        closed_form, rows = choose_closed_form(
            validation, scorer, best.vectors.residuals, config.regs, config.truncations
        )
        trials += rows
        report(Progress("closed form", 1, 1))
    training = best.training.model_copy(update={"max_epochs": best.trained.epochs})
    return Settings(best.model, training, closed_form, trials, best.trained.curve)


def attempt(
    world: World,
    validation: Validation,
    model_config: ModelConfig,
    training: TrainingConfig,
    *,
    seed: int,
    report: Report,
    step: str,
) -> Attempt:
    """Train on `world`, which knows `validation.part` only, stopping early by the held-out rest.

    What is compared is the score that serves, of the model alone. Raises DivergedError, and
    whatever `report` raises: each validation tells it its figures["ndcg"].
    """
    part, cosine = validation.part, training.cosine
    nothing = _no_weights(part)
    model = model_config.build(world, seed=seed, device=choose_device())

    def validate() -> float:
        vectors = model.export(cosine=cosine)
        scorer = _scorer(vectors, part, nothing, 0.0, cosine=cosine)
        return validation.ndcg(scorer, vectors.residuals)

    trained = train_model(model, world, training, seed, validate=validate, report=report, step=step)
    return Attempt(model_config, training, model.export(cosine=cosine), trained)


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
    cosine, chosen = settings.training.cosine, settings.closed_form
    vectors = model.export(cosine=cosine)
    similar = _no_weights(train)
    if chosen.blend:
        similar = truncate(Ease(world.graph).weights(chosen.reg), chosen.truncation)
    return Fitted(
        world=world,
        scorer=_scorer(vectors, train, similar, chosen.blend, cosine=cosine),
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


def _search_model(world, validation, config, seed, report) -> list[Attempt]:
    def tempered(temperature: float) -> TrainingConfig:
        loss = config.training.loss.model_copy(update={"temperature": temperature})
        return config.training.model_copy(update={"loss": loss})

    temperatures = config.temperatures
    if "loss.temperature" in config.fixed:
        temperatures = (config.training.loss.temperature,)
    first = tempered(temperatures[0])

    def tried_with(model: ModelConfig, training: TrainingConfig) -> Attempt:
        step = f"search: {_words(model)}, {_words(training.loss)}"
        return attempt(world, validation, model, training, seed=seed, report=report, step=step)

    if len(validation.part) > SEARCH_EDGES:
        return [tried_with(config.model, first)]
    models = [config.model]
    if hasattr(config.model, "hops") and "model.hops" not in config.fixed:
        models = [config.model.model_copy(update={"hops": hops}) for hops in config.hops]
    tried = [tried_with(model, first) for model in models]
    best = max(tried, key=lambda trial: trial.trained.best)
    return tried + [tried_with(best.model, tempered(rest)) for rest in temperatures[1:]]


def _words(settings: Named) -> str:
    searched = [f"{key} {getattr(settings, key)}" for key in SEARCHED if hasattr(settings, key)]
    return " ".join([settings.name, *searched])


def _scorer(
    vectors: Vectors, train: Interactions, similar: sp.csr_matrix, blend: float, *, cosine: bool
) -> Scorer:
    return Scorer(
        vectors.item_vectors,
        vectors.event_vectors,
        similar,
        blend,
        cosine=cosine,
        weight_cap=train.weight_cap,
    )


def _no_weights(train: Interactions) -> sp.csr_matrix:
    return sp.csr_matrix((train.item_count, train.item_count), dtype=np.float32)
