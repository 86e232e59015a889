"""Words for what is wrong: stable codes, bounded details, nothing that cannot be printed."""

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.problem import MOST_QUOTED, Identifier, quoted, rejection_of


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Identifier
    count: int = Field(0, strict=True, ge=0)
    tags: list[Identifier] = Field([], max_length=2)


def rejected(row: object, field: str | None = None) -> tuple[str, str, str]:
    with pytest.raises(ValidationError) as caught:
        Row.model_validate(row)
    found = rejection_of(7, caught.value, field)
    assert found["index"] == 7
    return found["code"], found["field"], found["detail"]


@pytest.mark.parametrize(
    ("row", "code", "field", "detail"),
    [
        ({}, "missing_field", "id", "a required field is missing"),
        ({"id": "a", "color": 1}, "unknown_field", "color", "there is no such field"),
        ("a", "not_an_object", "", "expected a JSON object"),
        ({"id": "a" * 257}, "too_large", "id", "expected at most 256 long"),
        ({"id": "a", "tags": ["b"] * 3}, "too_large", "tags", "expected at most 2 long"),
        ({"id": "a\x00"}, "invalid_value", "id", "expected text without NUL"),
        ({"id": "\ud800"}, "invalid_value", "id", "expected valid Unicode text"),
        ({"id": "a", "count": -1}, "invalid_value", "count", "expected greater than or equal to 0"),
        ({"id": "a", "tags": ["b", 5]}, "invalid_value", "tags.1", "expected a valid string"),
    ],
)
def test_every_problem_has_its_code_and_field(row, code, field, detail):
    found = rejected(row)

    assert found[:2] == (code, field)
    assert found[2].startswith(detail)


def test_a_field_whose_model_is_not_the_whole_row_is_named_with_it():
    assert rejected({"id": "a", "count": "x"}, "fields")[1] == "fields.count"


@pytest.mark.parametrize(
    "value",
    ["x" * 1000, 10**5000, ["x" * 1000], "\n\x1b" * 50, "\ud800"],
    ids=["long", "digits", "list", "control", "surrogate"],
)
def test_quotes_are_short_and_printable(value):
    told = quoted(value)

    assert len(told) <= MOST_QUOTED
    assert told.isprintable()
    assert told.encode("utf-8")
