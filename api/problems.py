"""Errors as RFC 9457 problem JSON: one table from error class to status, rendered in one place.

The layer that notices raises its own error; nothing below this package knows a status code.
"""

import logging
import traceback
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers.answer import NothingPublishedError
from graphdb.errors import GraphUnavailableError, IndexLostError, PathlightError
from graphdb.people.erasure import ErasedError
from graphdb.people.people import JoinedElsewhereError
from ingest.problem import quoted
from ingest.stream.stream import StreamUnavailableError
from training.artifact import ArtifactError

log = logging.getLogger(__name__)

RETRY_AFTER_S = 2
MEDIA_TYPE = "application/problem+json"


class NotFoundError(PathlightError):
    """What the path names is not in the graph."""


class InvalidError(PathlightError):
    """A request whose content cannot be taken; `errors` name fields (and rows) and why."""

    def __init__(self, detail: str, errors: Sequence[Any] = ()) -> None:
        super().__init__(detail)
        self.errors = list(errors)


class ConflictError(InvalidError):
    """An id that is there already with other content."""


class UnsupportedError(PathlightError):
    """A body of a type or an encoding that is not read here."""


class NotYetError(PathlightError):
    """The events are kept, and the graph has not got them yet."""


class TooLargeError(PathlightError):
    """A body or a batch beyond its bound."""


STATUS: dict[type[Exception], int] = {
    NotFoundError: 404,
    ConflictError: 409,
    JoinedElsewhereError: 409,
    ErasedError: 410,
    TooLargeError: 413,
    UnsupportedError: 415,
    InvalidError: 422,
    GraphUnavailableError: 503,
    IndexLostError: 503,
    StreamUnavailableError: 503,
    NotYetError: 503,
    NothingPublishedError: 503,
    ArtifactError: 503,
    PathlightError: 400,
}


class Problem(BaseModel):
    """RFC 9457: what went wrong, for people and machines."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, Any]] = []

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Entity",
                    "status": 422,
                    "detail": "the request is not valid",
                    "errors": [{"field": "body.k", "detail": "expected at most 500"}],
                }
            ]
        }
    }


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem responses of an endpoint, for OpenAPI."""
    return {s: {"model": Problem, **refused_as(s)} for s in statuses}


def refused_as(status: int) -> dict[str, Any]:
    """A problem response as the OpenAPI document says it."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def install(app: FastAPI) -> None:
    """Have every error of `app` answered as a problem."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_middleware(UnexpectedErrors)
    for kind in STATUS:
        app.add_exception_handler(kind, _known)


def problem(
    status: int, detail: str, errors: Sequence[Any] = (), headers: dict[str, str] | None = None
) -> JSONResponse:
    """A problem response; 503 says when to come back."""
    body = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors)
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"Retry-After": str(RETRY_AFTER_S), **(headers or {})}
    content = body.model_dump(exclude=None if errors else {"errors"})
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def _known(request: Request, error: Exception) -> JSONResponse:
    status = next(s for kind, s in STATUS.items() if isinstance(error, kind))
    return problem(status, str(error), getattr(error, "errors", ()))


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))


def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # The input itself is left out: it may be personal, or a megabyte long, as may a name in it.
    errors = [
        {"field": quoted(".".join(map(str, e["loc"])), bare=True), "detail": e["msg"]}
        for e in error.errors()
    ]
    return problem(422, "the request is not valid", errors)


class UnexpectedErrors:
    """ASGI middleware: an error of ours is a 500 and a trace in the log.

    The trace has neither the error's message nor the path asked for: both may name people. An
    exception handler would not do: behind it the server logs the error once more, whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if scope["type"] != "http":
                raise
            route = getattr(scope.get("route"), "path", "no route")
            trace = "".join(traceback.format_tb(error.__traceback__))
            name = scope.get("request_id", "without a name")
            log.error(
                "unexpected %s at %s, request %s\n%s", type(error).__name__, route, name, trace
            )
            if not begun:
                await problem(500, "an error of ours; it has been logged")(scope, receive, send)
