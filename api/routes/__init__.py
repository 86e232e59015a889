"""HTTP routes: each file reads from its shapes down to its endpoints, each endpoint one call."""

import importlib
import pkgutil

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.convertors import Convertor, register_url_convertor


class IdConvertor(Convertor[str]):
    """`{name:id}` in a path: whatever an id holds, slashes and line breaks too, percent-encoded."""

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


# Routes compile their paths when they are imported, and this package is imported before them.
register_url_convertor("id", IdConvertor())


def routers() -> list[APIRouter]:
    """The `router` of every file in this folder: adding one is all that an endpoint needs.

    An id takes the rest of a path, slashes too: what says more than an id comes before.
    """
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").router for name in names]
    return sorted(found, key=_takes_everything)


def _takes_everything(router: APIRouter) -> bool:
    paths = [route.path for route in router.routes if isinstance(route, APIRoute)]
    return any(path.endswith(":id}") for path in paths)
