"""What a person asks for, by name and setting or as a recipe's file, looked up and checked.

It knows words and files; neither what is trained nor how it is judged. torch is loaded when a name
is looked up, not before.
"""

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from training.errors import SettingError, TrainingError

if TYPE_CHECKING:
    from training.model import ModelConfig
    from training.running.loop import TrainingConfig
    from training.search.recipe import RecipeConfig

RECIPE = "recipe.json"
"""What a search leaves in its directory."""

PARTS = ("model", "loss", "training")


class RecipeFileError(TrainingError):
    """A recipe's file that is missing or is none; the message names the file and the field."""


class RecipeFile(BaseModel):
    """A recipe on disk.

    model: its name and settings; training: how it is trained, the loss's name and settings among
    it; alone: whether a closed form is left out; trials: what was tried before these were taken;
    tuned: the search they are from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: dict[str, Any] = {}
    training: dict[str, Any] = {}
    alone: bool = False
    trials: list[dict[str, Any]] = []
    tuned: dict[str, Any] = {}


@dataclass(frozen=True)
class Choice:
    """What is asked for, in words; nothing of it is looked up before it is needed.

    settings: "PART.NAME=VALUE" with PART one of PARTS; recipe: a file that holds a model and a
    loss, so neither is named beside it; alone: no closed form beside the model.
    """

    model: str | None = None
    loss: str | None = None
    settings: tuple[str, ...] = ()
    recipe: Path | None = None
    alone: bool = False

    @staticmethod
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        """The options that `of` reads."""
        parser.add_argument("--model", help="its name")
        parser.add_argument("--loss", help="its name")
        parser.add_argument("--set", action="append", default=[], metavar="PART.NAME=VALUE")
        parser.add_argument("--recipe", type=Path, help="a file that a search wrote")
        parser.add_argument("--alone", action="store_true", help="no closed form beside the model")

    @staticmethod
    def of(options: argparse.Namespace) -> "Choice":
        """What `add_arguments` was given."""
        given = options.model, options.loss, tuple(options.set), options.recipe, options.alone
        return Choice(*given)

    def arguments(self) -> list[str]:
        """The same as options, for a process of its own."""
        named = {"--model": self.model, "--loss": self.loss, "--recipe": self.recipe}
        given = [f"{option}={value}" for option, value in named.items() if value is not None]
        given += [f"--set={setting}" for setting in self.settings]
        return given + ["--alone"] * self.alone

    @property
    def words(self) -> str:
        """The names, for a directory's name."""
        return "-".join((self.model or "default", self.loss or "default"))

    def chosen(self) -> "Chosen":
        """What is asked for, looked up.

        Raises UnknownNameError with the list, SettingError with the range, RecipeFileError.
        """
        file, given = RecipeFile(), self._given()
        if self.recipe:
            if self.model or self.loss:
                raise SettingError(
                    f"{self.recipe} names a model and a loss already: leave out --model and --loss,"
                    " or the file"
                )
            file = read_recipe_file(self.recipe)
        model, training = _found(file, given, self.model, self.loss)
        fixed = frozenset(f"{part}.{name}" for part in PARTS for name in given[part])
        alone, trials = self.alone or file.alone, tuple(file.trials)
        sole, settled = self.loss is not None, self.recipe is not None
        return Chosen(model, training, fixed, alone, trials, sole, settled)

    def _given(self) -> dict[str, dict[str, Any]]:
        given: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        for setting in self.settings:
            name, equals, value = setting.partition("=")
            part, dot, key = name.partition(".")
            if not (equals and dot and key and part in PARTS):
                raise SettingError(
                    f"--set is {setting!r}, expected PART.NAME=VALUE, where PART is one of"
                    f" {', '.join(PARTS)}: for example loss.temperature=0.1"
                )
            if (part, key) == ("training", "loss"):
                raise SettingError("training.loss cannot be set: name the loss with --loss")
            given[part][key] = _value(value)
        return given


@dataclass(frozen=True)
class Chosen:
    """Checked settings; `fixed` names those that were given, as in "model.hops".

    sole: whether the loss is named; settled: whether they are a recipe's, of which nothing is tried
    anew but the closed form.
    """

    model: "ModelConfig"
    training: "TrainingConfig"
    fixed: frozenset[str]
    alone: bool
    trials: tuple[dict, ...]
    sole: bool
    settled: bool

    def recipe(self) -> "RecipeConfig":
        """How it is trained: the default recipe, what it tries on validation kept to this.

        Of a model that is not the default's, hops are tried around its own; no other loss is tried
        beside one that is named.
        """
        from training.search.recipe import RecipeConfig

        recipe, fixed = RecipeConfig(), self.fixed
        if self.settled:
            fixed |= {f"model.{name}" for name in type(self.model).model_fields}
            fixed |= {f"loss.{name}" for name in type(self.training.loss).model_fields}
        hops = recipe.hops
        if self.model.name != recipe.model.name:
            hops = _hops(self.model)
        return replace(
            recipe,
            model=self.model,
            training=self.training,
            hops=hops,
            others=() if self.sole or self.settled else recipe.others,
            fixed=fixed,
            alone=self.alone,
            trials=self.trials,
        )


def read_recipe_file(path: Path) -> RecipeFile:
    """Read a recipe. Raises RecipeFileError naming the file and the field."""
    try:
        return RecipeFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError):
        raise RecipeFileError(f"there is no recipe {path}: `pathlight tune` writes one") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "content"
        raise RecipeFileError(f"{path}: {key}: {first['msg']}") from None


def write_recipe_file(path: Path, recipe: RecipeFile) -> None:
    """Write `path`, whole or not at all; one that is there goes."""
    building = path.with_name(f".{path.name}.{os.getpid()}")
    building.write_text(recipe.model_dump_json(indent=2) + "\n")
    building.replace(path)


def everything() -> list[dict[str, Any]]:
    """A row for each setting that may be asked for: kind, name, setting, default, expected."""
    from training.closed_form import ClosedFormConfig
    from training.loss import LossConfig
    from training.model import ModelConfig
    from training.named import range_of
    from training.running.loop import TrainingConfig

    kinds = [
        (noun.noun, name, kind)
        for noun in (ModelConfig, LossConfig, ClosedFormConfig)
        for name, kind in noun.kinds().items()
    ]
    return [
        {
            "kind": noun,
            "name": name,
            "setting": setting,
            "default": schema.get("default"),
            "expected": range_of(kind, setting),
        }
        for noun, name, kind in [*kinds, ("training", "", TrainingConfig)]
        for setting, schema in kind.model_json_schema()["properties"].items()
        if (noun, setting) != ("training", "loss")
    ]


def _found(
    file: RecipeFile,
    given: Mapping[str, Mapping[str, Any]],
    model_name: str | None,
    loss_name: str | None,
) -> tuple["ModelConfig", "TrainingConfig"]:
    from training.loss import LossConfig
    from training.model import ModelConfig
    from training.named import checked
    from training.running.loop import TrainingConfig
    from training.search.recipe import RecipeConfig

    default = RecipeConfig()
    model, training = dict(file.model), dict(file.training)
    loss = training.pop("loss", {})
    if not isinstance(loss, dict):
        raise SettingError(f"training.loss is {loss!r}, expected its name and settings")
    name = model.pop("name", model_name or default.model.name)
    found = ModelConfig.of(name, {**model, **given["model"]})
    name = loss.pop("name", loss_name or default.training.loss.name)
    training["loss"] = LossConfig.of(name, {**loss, **given["loss"]})
    return found, checked(TrainingConfig, "training", {**training, **given["training"]})


def _hops(model: "ModelConfig") -> tuple[int, ...]:
    """The model's own hops first, then those that a search would try; none where it has none."""
    from optuna.distributions import IntDistribution

    from training.search.search_space import searched

    own = getattr(model, "hops", None)
    if not isinstance(own, int):
        return ()
    tried = searched(model).get("hops")
    if not isinstance(tried, IntDistribution):
        return (own,)
    return (own, *(hops for hops in range(tried.low, tried.high + 1) if hops != own))


def _value(word: str) -> Any:
    """A number, flag or list as JSON has them; else the word, which settings read themselves."""
    try:
        return json.loads(word)
    except ValueError:
        return word
