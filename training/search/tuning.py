"""Settings searched on validation within a budget of time, and written as a recipe's file.

It knows settings and worlds; neither snapshots nor how a study is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution

from training.closed_form import ClosedFormConfig
from training.errors import EmptySplitError
from training.running.loop import Report, silent
from training.search.choice import RECIPE, Chosen, RecipeFile, write_recipe_file
from training.search.race import attempt
from training.search.recipe import VALIDATION_SHARE
from training.search.search_space import SearchSpace, searched, with_values
from training.search.selection import Validation
from training.search.study import Study, Tried
from training.splits import latest_split
from training.world import World


def tune(
    world: World,
    chosen: Chosen,
    directory: Path,
    *,
    data: str,
    minutes: float,
    seed: int,
    most: int | None = None,
    report: Report = silent,
) -> RecipeFile:
    """Search settings of what is chosen until `minutes` are spent or `most` trials are finished.

    Both count everything that was ever tried in `directory`, by killed processes as well. What was
    given by name stays. The best so far is in the directory's RECIPE after each trial. data: what
    `world` is, in a word. Raises StudyError, EmptySplitError.
    """
    space = SearchSpace(chosen.model, chosen.training, chosen.fixed)
    subject = ModelSubject.of(world, space, data, seed)
    with Study.open(directory, subject, seed) as study:
        for _ in study.run(minutes, most, report):
            write_recipe_file(directory / RECIPE, _recipe(study, subject, chosen.alone))
        recipe = _recipe(study, subject, chosen.alone)
    write_recipe_file(directory / RECIPE, recipe)
    return recipe


def _recipe(study: Study, subject: "ModelSubject", alone: bool) -> RecipeFile:
    model, training = subject.space.settings(study.best or subject.start)
    rows = study.rows()
    names = {"model": model.name, "loss": training.loss.name}
    return RecipeFile(
        model=model.described(),
        training=training.described(),
        alone=alone,
        trials=[{**names, **row} for row in rows],
        tuned={
            "data": subject.data,
            "seed": subject.seed,
            "trials": len(rows),
            "seconds": round(study.seconds, 1),
            "ndcg": study.best_value,
        },
    )


@dataclass(frozen=True)
class ModelSubject:
    """A model and its loss on a world, each trial stopped early by the held-out tenth of it."""

    world: World
    validation: Validation
    space: SearchSpace
    data: str
    seed: int

    @staticmethod
    def of(world: World, space: SearchSpace, data: str, seed: int) -> "ModelSubject":
        """On the validation part that the recipe takes. Raises EmptySplitError without one."""
        part, held = latest_split(world.interactions, VALIDATION_SHARE, seed)
        validation = Validation.of(part, held, seed)
        if not len(validation.users):
            raise EmptySplitError(
                "nobody has events enough for a tenth of them to be held out: there is nothing to"
                " validate settings on; take more events"
            )
        return ModelSubject(world.with_interactions(part), validation, space, data, seed)

    @property
    def about(self) -> dict[str, Any]:
        """The settings that stay, and what is learned from."""
        model, training = self.space.model, self.space.training
        drawn = self.space.distributions
        settings = {
            **{f"model.{key}": value for key, value in model.described().items()},
            **{f"loss.{key}": value for key, value in training.loss.described().items()},
            **{f"training.{key}": value for key, value in training.model_dump().items()},
        }
        settings.pop("training.loss")
        kept = {name: value for name, value in settings.items() if name not in drawn}
        return {**kept, "searched": sorted(drawn), "data": self.data}

    @property
    def distributions(self) -> Mapping[str, BaseDistribution]:
        """What is tried, by setting."""
        return self.space.distributions

    @property
    def start(self) -> Mapping[str, Any]:
        """The settings as they are."""
        return self.space.start

    def attempt(self, values: Mapping[str, Any], report: Report) -> Tried:
        """Train with `values`, stopping early."""
        model, training = self.space.settings(values)
        found = attempt(
            self.world,
            self.validation,
            model,
            training,
            seed=self.seed,
            report=report,
            step="trial",
        )
        assert found.trained.best is not None
        return Tried(found.trained.best, found.trained.epochs)


@dataclass(frozen=True)
class ClosedFormSubject:
    """A closed form alone on a world, its whole matrix, by the held-out tenth of it."""

    validation: Validation
    settings: ClosedFormConfig
    data: str

    @property
    def about(self) -> dict[str, Any]:
        """The settings that stay, and what is fitted to."""
        drawn = self.distributions
        kept = {key: value for key, value in self.settings.described().items() if key not in drawn}
        return {**kept, "searched": sorted(drawn), "data": self.data}

    @property
    def distributions(self) -> Mapping[str, BaseDistribution]:
        """What is tried, by setting."""
        return searched(self.settings)

    @property
    def start(self) -> Mapping[str, Any]:
        """The settings as they are."""
        return {name: getattr(self.settings, name) for name in self.distributions}

    def attempt(self, values: Mapping[str, Any], report: Report) -> Tried:
        """Fit with `values`. Raises CatalogueTooLargeError."""
        graph = self.validation.part.graph()
        weights = with_values(self.settings, values).fit(graph)
        each = self.validation.each(lambda users: weights.scores(graph[users]))
        return Tried(float(each.mean()))
