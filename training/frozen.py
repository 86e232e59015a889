"""The recipe that a `model.json` keeps, back as settings that can be refitted to other data.

It knows what training.recipe.Settings writes there; no data.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from training.artifact import ArtifactError, Model
from training.errors import SettingError, UnknownNameError
from training.loop import TrainingConfig
from training.loss import LossConfig
from training.model import ModelConfig
from training.named import Named, checked
from training.recipe import Settings
from training.selection import ClosedForm

N = TypeVar("N", bound=Named)


def frozen_settings(model: Model) -> Settings:
    """What training chose, its number of epochs among it.

    Raises ArtifactError naming the artifact and the setting: one that is missing, or that this
    program has no longer.
    """
    try:
        recipe = model.recipe
        training = dict(recipe["training"])
        training["loss"] = _named(LossConfig, training["loss"])
        return Settings(
            model=_named(ModelConfig, recipe["model"]),
            training=checked(TrainingConfig, "training", training),
            closed_form=TypeAdapter(ClosedForm).validate_python(recipe["closed_form"]),
        )
    except KeyError as error:
        raise _unreadable(model, f"it has no {error.args[0]!r}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise _unreadable(model, f"closed_form: {key}: {first['msg']}") from None
    except (SettingError, UnknownNameError) as error:
        raise _unreadable(model, str(error)) from None


def _named(kind: type[N], described: Mapping[str, Any]) -> N:
    settings = dict(described)
    return kind.of(settings.pop("name"), settings)


def _unreadable(model: Model, trouble: str) -> ArtifactError:
    return ArtifactError(
        f"artifact {model.id}: its recipe cannot be fitted again: {trouble}; train again"
    )
