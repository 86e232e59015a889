"""Where an answer leads: the OpenAPI document's links, from a response to the next request.

Parameters and bodies are OpenAPI's runtime expressions. What an operation does is not known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Link:
    """source: method, path and status of the response; target: method and path."""

    name: str
    source: str
    target: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] = field(default_factory=dict)


ITEM = USER = {"id": "$request.path.id"}
NEXT = {"cursor": "$response.body#/next_cursor"}
FIRST = {"item_id": "$response.body#/items/0/id"}
PERSON = {"user_id": "$request.body#/user_id"}
LIST = {"recommendation_id": "$response.body#/recommendation_id"}

LINKS = (
    Link("saved", "PUT /v1/items/{id} 204", "GET /v1/items/{id}", ITEM),
    Link("similar", "PUT /v1/items/{id} 204", "GET /v1/items/{id}/similar", ITEM),
    Link("delete", "GET /v1/items/{id} 200", "DELETE /v1/items/{id}", ITEM),
    Link("next", "GET /v1/items 200", "GET /v1/items", NEXT),
    Link(
        "similar",
        "GET /v1/items 200",
        "GET /v1/items/{id}/similar",
        {"id": FIRST["item_id"]},
    ),
    Link("saved", "PUT /v1/users/{id} 204", "GET /v1/users/{id}", USER),
    Link("erase", "GET /v1/users/{id} 200", "DELETE /v1/users/{id}", USER),
    Link("next", "GET /v1/users 200", "GET /v1/users", NEXT),
    Link(
        "recommend",
        "GET /v1/users 200",
        "POST /v1/recommendations",
        body={"user_id": "$response.body#/users/0/id"},
    ),
    Link("recommend", "POST /v1/events 202", "GET /v1/recommendations", PERSON),
    Link(
        "take_back",
        "POST /v1/events 202",
        "DELETE /v1/events/{event_type}/{event_id}",
        {name: f"$request.body#/{name}" for name in ("event_type", "event_id")},
    ),
    Link(
        "explain",
        "POST /v1/recommendations 200",
        "GET /v1/recommendations/{id}/explain",
        {"id": LIST["recommendation_id"], "item": FIRST["item_id"]},
    ),
    Link(
        "next", "POST /v1/recommendations 200", "POST /v1/recommendations", body={**PERSON, **NEXT}
    ),
    Link(
        "outcome",
        "POST /v1/recommendations 200",
        "POST /v1/events",
        body={**PERSON, **FIRST, **LIST},
    ),
)


def link(document: dict[str, Any]) -> None:
    """Write the links into an OpenAPI document that has their operations."""

    def operation(name: str) -> dict[str, Any]:
        method, path = name.split()
        return document["paths"][path][method.lower()]

    for one in LINKS:
        source, _, status = one.source.rpartition(" ")
        told: dict[str, Any] = {"operationId": operation(one.target)["operationId"]}
        if one.parameters:
            told["parameters"] = dict(one.parameters)
        if one.body:
            told["requestBody"] = dict(one.body)
        operation(source)["responses"][status].setdefault("links", {})[one.name] = told
