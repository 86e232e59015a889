"""HTTP routes: each file reads from its shapes down to its endpoints, each endpoint one call."""

import importlib
import pkgutil

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """The `router` of every file in this folder: adding one is all that an endpoint needs.

    An id takes the rest of a path, slashes too: what says more than an id comes before.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").router for name in names]
    return sorted(found, key=lambda router: any(r.path.endswith(":path}") for r in router.routes))
