"""What a search may try of settings: their declared `search`, else what follows from their range.

It knows settings' classes and Optuna's distributions; neither what is trained nor how it is judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import BaseModel

from training.loss import LossConfig
from training.model import ModelConfig
from training.named import M, Search, Span, checked
from training.running.loop import TrainingConfig

OF_TRAINING: Mapping[str, Span] = {
    "learning_rate": Span(1e-3, 5e-2, log=True),
    "weight_decay": Span(1e-3, 0.5, log=True),
}
FEW = 16
"""Whole numbers with no more values than this are small: a step up and down is tried."""


@dataclass(frozen=True)
class SearchSpace:
    """What is tried around three settings; `fixed` names (as in "model.hops") keep their value."""

    model: ModelConfig
    training: TrainingConfig
    fixed: frozenset[str] = frozenset()

    @property
    def loss(self) -> LossConfig:
        """The loss's settings."""
        return self.training.loss

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """By setting, with its part before it: "model.hops", "loss.temperature"."""
        parts = {"model": self.model, "loss": self.loss}
        found = {
            f"{part}.{name}": distribution
            for part, settings in parts.items()
            for name, distribution in searched(settings).items()
        }
        for name, span in OF_TRAINING.items():
            found[f"training.{name}"] = _distribution(span, getattr(self.training, name))
        return {name: way for name, way in found.items() if name not in self.fixed}

    @property
    def start(self) -> dict[str, Any]:
        """The settings as they are: what is tried first."""
        parts = {"model": self.model, "loss": self.loss, "training": self.training}
        split = ((name, *name.split(".")) for name in self.distributions)
        return {name: getattr(parts[part], key) for name, part, key in split}

    def settings(self, values: Mapping[str, Any]) -> tuple[ModelConfig, TrainingConfig]:
        """With `values` of one trial. Raises SettingError for what a class refuses."""
        drawn: dict[str, dict[str, Any]] = {"model": {}, "loss": {}, "training": {}}
        for name, value in values.items():
            part, key = name.split(".")
            drawn[part][key] = value
        loss = with_values(self.loss, drawn["loss"])
        return with_values(self.model, drawn["model"]), with_values(
            self.training, {**drawn["training"], "loss": loss}
        )


def searched(settings: BaseModel) -> dict[str, BaseDistribution]:
    """What is tried of `settings`, around the values they have.

    A class's `search` says for a field: a Span, a tuple of values, or None for one that stays. Of a
    field without a word: flags and names are tried all, small whole numbers a step up and down,
    other numbers up to four times more and less, by ratios and within their range; one at zero
    stays.
    """
    kind = type(settings)
    properties = kind.model_json_schema()["properties"]
    declared = declarations(kind)
    found = {}
    for name in kind.model_fields:
        value = getattr(settings, name)
        if properties[name].get("type") == "number":
            value = float(value)  # a default of 1 is a number as well
        way = declared[name] if name in declared else _derived(properties[name], value)
        if way is not None:
            found[name] = _distribution(way, value)
    return found


def declarations(kind: type[BaseModel]) -> Search:
    """The `search` of a class and of those it is derived from, the nearest word last."""
    return {
        name: way
        for above in reversed(kind.__mro__)
        for name, way in vars(above).get("search", {}).items()
    }


def _derived(schema: Mapping[str, Any], value: Any) -> Span | tuple | None:
    if isinstance(value, bool):
        return (False, True)
    if "enum" in schema:
        return tuple(schema["enum"])
    if not isinstance(value, int | float) or not value:
        return None
    least = schema.get("minimum", schema.get("exclusiveMinimum", -float("inf")))
    most = schema.get("maximum", schema.get("exclusiveMaximum", float("inf")))
    if isinstance(value, int) and most - least <= FEW:
        return Span(max(least, value - 1), min(most, value + 1))
    if value < 0:
        return None
    low, high = max(least, value / 4), min(most, value * 4)
    # A bound that is excluded is not tried itself.
    low = low * 1.001 if low == schema.get("exclusiveMinimum") else low
    high = high * 0.999 if high == schema.get("exclusiveMaximum") else high
    return Span(low, high, log=low > 0)


def _distribution(way: Span | tuple, value: Any) -> BaseDistribution:
    """`way` widened to hold `value`, which is tried first."""
    if isinstance(way, tuple):
        return CategoricalDistribution(tuple(dict.fromkeys([*way, value])))
    low, high = min(way.low, value), max(way.high, value)
    if isinstance(value, int):
        low, high = int(low), int(high)
        return IntDistribution(max(low, 1) if way.log else low, high, log=way.log)
    return FloatDistribution(low, high, log=way.log)


def with_values(settings: M, changed: Mapping[str, Any]) -> M:
    """`settings` with some of another value. Raises SettingError."""
    # Not model_copy, which takes any value: what a trial draws is held to the range as well.
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return checked(type(settings), type(settings).__name__, {**values, **changed})
