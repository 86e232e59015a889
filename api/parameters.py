"""Query parameters: what a route does not declare is refused, whatever the route.

What it takes is what the framework reads for it; nothing of what a parameter means is known here.
"""

from typing import Any

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from api.problems import InvalidError, refused_as
from ingest.problem import quoted

MOST_NAMED = 20
"""Unknown parameters that a refusal names."""


async def refuse_unknown(request: Request) -> None:
    """Every route's first dependency. Raises InvalidError, naming what it does not take."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    every = [field.alias for field in get_flat_params(route.dependant)]
    known = [name for name in every if name not in route.param_convertors]  # the path's
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        detail = f"no such parameter; expected {', '.join(known) or 'none'}"
        named = [quoted(f"query.{name}", bare=True) for name in unknown[:MOST_NAMED]]
        errors = [{"field": name, "detail": detail} for name in named]
        raise InvalidError("the request is not valid", errors)


def describe(document: dict[str, Any]) -> None:
    """Say in an OpenAPI document that every operation may refuse a request."""
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("422", refused_as(422))
