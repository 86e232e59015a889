"""How schemas become types; that the client's are those of the document is a rule of the house."""

from typing import get_type_hints

import pytest

from api.client_types import annotation, schemas, typed_dict


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "string", "maxLength": 3}, "str"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "float | None"),
        ({"oneOf": [{"type": "string"}, {"type": "string", "format": "x"}]}, "str"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Item"}}, "list[Item]"),
        ({"type": "array"}, "list[Any]"),
        ({"enum": ["a", "b"], "type": "string"}, "Literal['a', 'b']"),
        ({"const": 1}, "Literal[1]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "dict[str, int]"),
        ({"type": "object", "additionalProperties": True}, "dict[str, Any]"),
        ({}, "Any"),
    ],
)
def test_a_schema_is_a_type(schema, told):
    assert annotation(schema) == told


def test_a_schema_with_properties_is_a_typed_dict():
    properties = {"k": {"type": "integer"}, "id": {"type": "string"}}

    text = typed_dict(
        "Asked", {"properties": properties, "required": ["id"], "description": "A\n b."}
    )

    assert text.splitlines() == [
        "class Asked(TypedDict):",
        '    """A b."""',
        "",
        "    k: NotRequired[int]",
        "    id: str",
    ]


def test_names_that_are_words_of_the_language_are_kept():
    scope: dict = {}
    properties = {"from": {"type": "string"}, "to": {"type": "string"}}

    text = typed_dict("Relation", {"properties": properties, "required": ["from", "to"]})
    exec("from typing import TypedDict\n" + text, scope)

    assert get_type_hints(scope["Relation"]) == {"from": str, "to": str}


def test_queries_and_tracked_events_have_schemas_too():
    found = schemas()

    assert set(found["ItemsSimilarQuery"]["properties"]) == {"k", "exclude_ids", "by"}
    assert found["RecommendationsExplainQuery"]["required"] == ["item"]
    assert found["Tracked"]["properties"] == found["Event"]["properties"]
    assert found["Tracked"]["required"] == ["event_type", "item_id"]
