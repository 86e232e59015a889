"""HTTP routes: each file reads from its shapes down to its endpoints, each endpoint one call."""

import importlib
import pkgutil

from fastapi import APIRouter
from fastapi.routing import APIRoute


def routers() -> list[APIRouter]:
    """The `router` of every file in this folder: adding one is all that an endpoint needs.

    An id takes the rest of a path, slashes too: what says more than an id comes before.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").router for name in names]
    return sorted(found, key=_takes_everything)


def _takes_everything(router: APIRouter) -> bool:
    paths = [route.path for route in router.routes if isinstance(route, APIRoute)]
    return any(path.endswith(":path}") for path in paths)
