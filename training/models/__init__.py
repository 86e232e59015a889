"""The models, one file each: a file here whose ModelConfig has a name is a model, known nowhere
else."""

import importlib
import pkgutil
from functools import cache

from training.errors import UnknownModelError
from training.model import ModelConfig


@cache
def models() -> dict[str, type[ModelConfig]]:
    """The settings' class of every model by its name, in the order of names."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = {kind.name: kind for kind in ModelConfig.__subclasses__() if _is_here(kind)}
    return dict(sorted(found.items()))


def find_model(name: str) -> type[ModelConfig]:
    """The settings' class of the model `name`. Raises UnknownModelError with the list."""
    known = models()
    if name not in known:
        raise UnknownModelError(f"there is no model {name!r}: expected one of {', '.join(known)}")
    return known[name]


def _is_here(kind: type[ModelConfig]) -> bool:
    return kind.__module__.startswith(f"{__name__}.")
