"""Who may do what: every route's need, every scope's grants, and the door that compares them.

A request is let in or refused before its body is read. Whose secret it brings,
api.access.keyring knows.
"""

from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

import api.routes  # noqa: F401  paths with `:id` compile with its convertor
from api.access.keyring import Keyring
from api.problems import problem, refused_as
from api.state import State


class Need(StrEnum):
    """What a route asks for."""

    HEALTH = "see health"  # everybody may, from anywhere
    DOCUMENT = "read the documentation"  # everybody may, once there is a key
    SEND = "send events"
    RETRACT = "take events back"
    ASK = "ask for lists"
    READ = "read people and items"
    CHANGE = "change people and items"
    ERASE = "erase people"
    MEASURE = "read metrics"


NEEDS = {
    "GET /health/live": Need.HEALTH,
    "GET /health/ready": Need.HEALTH,
    "GET /openapi.json": Need.DOCUMENT,
    "GET /docs": Need.DOCUMENT,
    "GET /docs/oauth2-redirect": Need.DOCUMENT,
    "GET /metrics": Need.MEASURE,
    "POST /v1/events": Need.SEND,
    "DELETE /v1/events/{event_type}/{event_id:id}": Need.RETRACT,
    "POST /v1/recommendations": Need.ASK,
    "GET /v1/recommendations": Need.ASK,
    "POST /v1/recommendations:page": Need.ASK,
    "GET /v1/recommendations/{id}/explain": Need.READ,
    "GET /v1/items/{id:id}/similar": Need.ASK,
    "POST /v1/rank": Need.ASK,
    "GET /v1/rankings/{name}": Need.ASK,
    "GET /v1/users/{id:id}/similar": Need.READ,
    "GET /v1/items": Need.READ,
    "GET /v1/items/{id:id}": Need.READ,
    "PUT /v1/items/{id:id}": Need.CHANGE,
    "PATCH /v1/items/{id:id}": Need.CHANGE,
    "DELETE /v1/items/{id:id}": Need.CHANGE,
    "POST /v1/items:batch": Need.CHANGE,
    "POST /v1/relations": Need.CHANGE,
    "DELETE /v1/relations": Need.CHANGE,
    "GET /v1/users": Need.READ,
    "GET /v1/users/{id:id}": Need.READ,
    "GET /v1/users/{id:id}/explain": Need.READ,
    "PUT /v1/users/{id:id}": Need.CHANGE,
    "PATCH /v1/users/{id:id}": Need.CHANGE,
    "DELETE /v1/users/{id:id}": Need.ERASE,
    "POST /v1/users:batch": Need.CHANGE,
    "POST /v1/users/{target:id}:merge": Need.CHANGE,
}
"""Every route, as it is declared; what could be two of them is the first. One that is not here
takes the scope admin."""

PUBLIC = "public"
GRANTS: dict[str, frozenset[Need]] = {
    "events": frozenset({Need.SEND, Need.RETRACT}),
    "read": frozenset({Need.ASK, Need.READ}),
    "catalogue": frozenset({Need.CHANGE}),
    "metrics": frozenset({Need.MEASURE}),
    "admin": frozenset(Need),
    PUBLIC: frozenset({Need.SEND, Need.ASK}),
}
"""What a key of each scope may do. `public` is that of keys that browsers hold."""

API_KEY = "ApiKey"
UNKNOWN = "this takes a valid API key: Authorization: Bearer KEY"
UNREAD = "which keys there are could not be read yet: the graph does not answer"
WITHOUT_PATTERN = {named: need for named, need in NEEDS.items() if "{" not in named}
PATTERNS = [
    (method, compile_path(template)[0], need)
    for named, need in NEEDS.items()
    for method, template in [named.split(" ")]
    if "{" in named
]


def need_of(method: str, path: str) -> Need | None:
    """What a request asks for; None for a route that is not in the table."""
    if found := WITHOUT_PATTERN.get(f"{method} {path}"):
        return found
    return next((n for m, pattern, n in PATTERNS if m == method and pattern.match(path)), None)


def scopes_for(need: Need | None) -> list[str]:
    """The scopes that grant a need."""
    return [scope for scope, granted in GRANTS.items() if need in granted or scope == "admin"]


class Door:
    """ASGI middleware: 401 without a valid key, 403 beyond its scopes, 429 beyond its rate.

    Until the first key is created everybody on this machine may do everything, and nobody else
    anything.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._refused = Counter(
            "pathlight_refused", "requests that were not let in", ["status"], registry=registry
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := await _refusal(scope)):
            self._refused.labels(refusal.status_code).inc()
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _refusal(scope: Scope) -> Response | None:
    need = need_of(scope["method"], scope["path"])
    if need is Need.HEALTH:
        return None
    state: State = scope["state"]["pathlight"]
    if not state.keyring.known:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, UNREAD)
    if state.keyring.empty:
        return None if _is_near((scope.get("client") or ("",))[0]) else _unknown()
    if need is Need.DOCUMENT:
        return None
    key = state.keyring.find(_secret(scope))
    if key is None:
        return _unknown()
    allowed = scopes_for(need)
    if not set(allowed) & set(key.scopes):
        return problem(
            HTTPStatus.FORBIDDEN,
            f"this key may not {need or 'do that'}: it takes the scope {allowed[0]}",
        )
    if seconds := await state.limits.wait(key.id, key.rate):
        return problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"this key may ask {key.rate} times a minute",
            headers={"Retry-After": str(seconds)},
        )
    return None


def _unknown() -> Response:
    return problem(HTTPStatus.UNAUTHORIZED, UNKNOWN, headers={"WWW-Authenticate": "Bearer"})


def _secret(scope: Scope) -> str:
    given = next((v for k, v in scope["headers"] if k == b"authorization"), b"").decode("latin-1")
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


@lru_cache(1024)
def _is_near(host: str) -> bool:
    """Whether the sender is on this machine; a proxy on it has told whom it asks for."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def describe(document: dict[str, Any]) -> None:
    """Say in an OpenAPI document which scopes each operation takes, and how it refuses."""
    schemes = {API_KEY: {"type": "http", "scheme": "bearer"}}
    document["components"]["securitySchemes"] = schemes
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            need = need_of(method.upper(), path)
            if need in {Need.HEALTH, Need.DOCUMENT}:
                continue
            # Without any key this machine is let in: hence the empty one.
            operation["security"] = [{API_KEY: [scope]} for scope in scopes_for(need)] + [{}]
            for status in (401, 403, 429):
                operation["responses"].setdefault(str(status), refused_as(status))


def warning(keyring: Keyring) -> str:
    """What an operator should know when a process starts, or nothing."""
    if keyring.known and keyring.empty:
        return "there is no API key: only this machine is answered (`pathlight keys create`)"
    return ""
