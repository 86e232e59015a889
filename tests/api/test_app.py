"""The application put together: a document that is complete, opened and closed without a graph."""

import json

import pytest

from api.access.scopes import NEEDS, need_of
from api.app import create_app
from ingest.event import Event

METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture
def document() -> dict:
    return create_app().openapi()


def test_every_endpoint_is_described_and_says_what_can_go_wrong(document):
    operations = [
        (path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]

    assert {path for path, _ in operations} == {
        "/v1/events",
        "/v1/events/{event_type}/{event_id}",
        "/metrics",
        "/v1/items",
        "/v1/items/{id}",
        "/v1/items:batch",
        "/v1/relations",
        "/v1/users",
        "/v1/users/{id}",
        "/v1/users/{target}:merge",
        "/v1/users:batch",
        "/v1/recommendations",
        "/v1/recommendations:page",
        "/v1/recommendations/{id}/explain",
        "/v1/items/{id}/similar",
        "/v1/users/{id}/similar",
        "/v1/users/{id}/explain",
        "/v1/rank",
        "/v1/rankings/{name}",
        "/health/live",
        "/health/ready",
    }
    for path, operation in operations:
        assert operation["description"], path
        if path.startswith("/v1"):
            assert {"422", "503"} <= set(operation["responses"]), path


def test_every_endpoint_is_in_the_table_of_needs(document):
    """One that is missing takes the scope admin: add it to api.access.scopes.NEEDS."""
    told = {named.replace(":id}", "}") for named in NEEDS}
    there = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
        if method in METHODS
    }

    assert there <= told
    assert {named for named in told - there if "/v1" in named} == set()
    for named, need in NEEDS.items():
        method, path = named.replace(":id}", "}").split(" ")
        assert need_of(method, path) is need, named


def test_every_shape_that_is_named_is_there(document):
    text = json.dumps(document)

    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert named <= set(document["components"]["schemas"])
    assert {"Event", "Problem"} <= named


def test_bodies_and_answers_have_examples_that_are_valid(document):
    shapes = document["components"]["schemas"]

    for name in ("Event", "RecommendationBody", "AnswerOut", "Accepted", "ItemBody", "Problem"):
        assert shapes[name]["examples"], name
    events = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]["application/json"]
    for example in shapes["Event"]["examples"]:
        Event.model_validate(example)
    assert {"$ref": "#/components/schemas/Event"} in events["schema"]["oneOf"]


def test_an_application_is_made_without_opening_anything(monkeypatch):
    monkeypatch.setenv("PATHLIGHT_NEO4J_URI", "bolt://127.0.0.1:9")

    assert create_app().title == "Pathlight"
