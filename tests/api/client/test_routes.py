"""Every route of the document has its function, which asks and answers as the document says."""

import inspect
import json
from typing import Any, get_args, get_type_hints

import pytest

from api.app import create_app
from api.client import AsyncClient, Client, routes
from api.client.routes import Call, stamped

ELSEWHERE = {
    ("GET", "/v1/recommendations"): "recommend with dry_run is the long form of it",
}
FUNCTIONS = {
    name: function
    for name, function in vars(routes).items()
    if inspect.isfunction(function) and get_type_hints(function).get("return") is not None
    if getattr(get_type_hints(function)["return"], "__origin__", None) is Call
}
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in create_app().openapi()["paths"].items()
    for method, operation in operations.items()
    if path.startswith("/v1")
}


def called(name: str) -> Call:
    """The function called with every argument it has."""
    function = FUNCTIONS[name]
    given: dict[str, Any] = {}
    kinds = inspect.signature(function).parameters.values()
    positional = [
        "x" if p.annotation is str else [{}] for p in kinds if p.kind is not p.VAR_KEYWORD
    ]
    if asked := keywords(name):
        given = dict.fromkeys(get_type_hints(asked), "x")
    return function(*positional, **given)


def keywords(name: str) -> Any:
    """The type of its keyword arguments, if it takes any."""
    hints = get_type_hints(FUNCTIONS[name])
    variable = [
        p.name
        for p in inspect.signature(FUNCTIONS[name]).parameters.values()
        if p.kind is p.VAR_KEYWORD
    ]
    return get_args(hints[variable[0]])[0] if variable else None


def schema_of(content: dict) -> str | None:
    """The name of the schema of a JSON body, or of its rows."""
    schema = content["content"]["application/json"]["schema"] if "content" in content else {}
    for rows in schema.get("oneOf", ()):
        schema = rows if "items" in rows else schema
    reference = schema.get("items", schema).get("$ref")
    return reference and reference.rpartition("/")[2]


def test_every_route_is_a_function_and_a_method_of_both_clients():
    asked = {name: (call.method, call.path) for name in FUNCTIONS for call in [called(name)]}

    assert sorted(asked.values()) == sorted(OPERATIONS.keys() - ELSEWHERE)
    for client in (Client, AsyncClient):
        assert {name for name in FUNCTIONS if hasattr(client, name)} == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_asks_and_answers_as_the_document_says(name):
    call = called(name)
    operation = OPERATIONS[call.method, call.path]
    parameters = operation.get("parameters", [])
    success = next(v for k, v in operation["responses"].items() if k.startswith("2"))
    (answer,) = get_args(get_type_hints(FUNCTIONS[name])["return"])

    assert set(call.query) == {p["name"] for p in parameters if p["in"] == "query"}
    assert len(call.ids) == len([p for p in parameters if p["in"] == "path"])
    assert (call.body is not None) == ("requestBody" in operation)
    assert getattr(answer, "__name__", None) == (schema_of(success) or "NoneType")
    if call.body is not None and not isinstance(call.body, list):
        assert keywords(name).__name__ == schema_of(operation["requestBody"])


def test_only_lists_that_are_kept_are_not_asked_for_twice():
    once = [name for name in FUNCTIONS if not called(name).repeatable]

    assert once == []  # dry_run was given
    assert not routes.recommend(user_id="ann").repeatable
    assert not routes.page(user_id="ann", rows=[{}]).repeatable
    assert routes.recommend(user_id="ann", dry_run=True).repeatable


@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("a/b", "/v1/items/a%2Fb"),
        ("a b?c#d%", "/v1/items/a%20b%3Fc%23d%25"),
        ("..", "/v1/items/%2E%2E"),
        ("ä\n", "/v1/items/%C3%A4%0A"),
    ],
)
def test_an_id_is_never_a_part_of_the_path(id, path):
    assert routes.get_item(id).target == path


def test_an_empty_id_is_refused():
    with pytest.raises(ValueError, match="expected an id"):
        routes.delete_item("").target  # noqa: B018


def test_an_event_gets_an_id_and_a_time_unless_it_has_them():
    bare = {"event_type": "rated", "user_id": "ann", "item_id": "1"}
    whole = {**bare, "event_id": "e1", "occurred_at": "2026-02-01T20:15:00Z"}

    first, second = stamped(bare), stamped(bare)

    assert stamped(whole) == whole
    assert first["event_id"] != second["event_id"]
    assert first["occurred_at"] <= second["occurred_at"]
    assert set(bare) == {"event_type", "user_id", "item_id"}
    assert json.dumps(first)
