"""The commands of `pathlight`, a file a topic; each command is a few lines around a function."""

import importlib
import pkgutil

import typer


def topics() -> list[typer.Typer]:
    """The `app` of every file in this folder: adding one is all that a topic needs."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").app for name in names]
