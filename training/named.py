"""Settings asked for by name: one file each in a room, known nowhere else.

It knows neither models, losses nor closed forms, only that each is a settings' class with a name.
"""

import importlib
import pkgutil
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from training.errors import SettingError, UnknownNameError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Span:
    """Numbers worth trying, from `low` to `high`, both among them; by ratios when `log`."""

    low: float
    high: float
    log: bool = False


Search = Mapping[str, Span | tuple | None]
"""What a search may try, by field; None: the field stays."""


class Named(BaseModel, ABC):
    """Settings with their ranges.

    name: what it is asked for by; room: the package whose files hold its kind; noun: what its kind
    is called in sentences; search: by field, a Span or a tuple of values that `pathlight tune`
    tries, None for one that stays (training.search.search_space says what follows without a word).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str]
    room: ClassVar[str]
    noun: ClassVar[str]
    search: ClassVar[Search] = {}

    @classmethod
    def kinds(cls) -> dict[str, type[Self]]:
        """Every class of this kind in its room by name, in the order of names."""
        for module in pkgutil.iter_modules(importlib.import_module(cls.room).__path__):
            importlib.import_module(f"{cls.room}.{module.name}")
        found = {kind.name: kind for kind in _below(cls) if _named_in(kind, cls.room)}
        return cast(dict[str, type[Self]], dict(sorted(found.items())))

    @classmethod
    def find(cls, name: str) -> type[Self]:
        """The class called `name`. Raises UnknownNameError with the list."""
        known = cls.kinds()
        if name not in known:
            raise UnknownNameError(
                f"there is no {cls.noun} {name!r}: expected one of {', '.join(known)}"
            )
        return known[name]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any] | None = None) -> Self:
        """The settings of `name`; those not given are its defaults.

        Raises UnknownNameError, or SettingError naming the setting and its range.
        """
        return checked(cls.find(name), f"{cls.noun} {name}", settings or {})

    def described(self) -> dict[str, Any]:
        """The name and every setting, for `model.json`."""
        return {"name": self.name, **self.model_dump()}


def checked(kind: type[M], what: str, settings: Mapping[str, Any]) -> M:
    """`settings` as `kind`. Raises SettingError: what was given, and what was expected."""
    try:
        return kind(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(kind.model_fields)
            raise SettingError(f"{what} has no setting {key!r}: expected one of {known}") from None
        raise SettingError(
            f"{what}: {key} is {first['input']!r}, expected {range_of(kind, key) or first['msg']}"
        ) from None


def range_of(kind: type[BaseModel], key: str) -> str:
    """What a field takes in words: bounds of a number, a flag, names; empty for another."""
    schema = kind.model_json_schema()["properties"].get(key, {})
    if schema.get("type") == "boolean":
        return "true or false"
    if names := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return "one of " + ", ".join(map(str, names)) if len(names) > 1 else str(names[0])
    words = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
    }
    bounds = [word.format(schema[bound]) for bound, word in words.items() if bound in schema]
    number = "a number" if schema.get("type") == "number" else "a whole number"
    return " and ".join([f"{number} {bounds[0]}", *bounds[1:]]) if bounds else ""


def _below(kind: type["Named"]) -> list[type["Named"]]:
    return [below for child in kind.__subclasses__() for below in (child, *_below(child))]


def _named_in(kind: type["Named"], room: str) -> bool:
    return kind.__module__.startswith(f"{room}.") and "name" in vars(kind)
