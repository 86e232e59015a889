"""Catalogue rows from outside, checked against the domain's fields.

A raw row is `{"id": "242", "fields": {"title": "Kolya", "genres": ["Comedy"]}, "hidden": false,
"expires_at": "2026-12-24T00:00:00Z"}`; users have neither `hidden` nor `expires_at`. What passes
has the shape that graphdb.catalogue.catalogue saves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from graphdb.domain import Domain
from graphdb.specs import FieldSpec
from ingest.event import Time
from ingest.problem import Identifier, Rejection, UserId, quoted, rejection_of

LONGEST_TEXT = 20_000
MOST_STRINGS = 256

Text = Annotated[
    str, Field(strict=True, min_length=1, max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")
]
_SHORT = TypeAdapter(Identifier)
_CHECKS: dict[str, TypeAdapter[Any]] = {
    "string": TypeAdapter(Text),
    "strings": TypeAdapter(Annotated[list[Identifier], Field(max_length=MOST_STRINGS)]),
    "integer": TypeAdapter(Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]),
    "float": TypeAdapter(Annotated[float, Field(strict=True, allow_inf_nan=False)]),
    "boolean": TypeAdapter(Annotated[bool, Field(strict=True)]),
}


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserRow(_Row):
    """A user as the outside writes one; `fields` are the domain's, a null one is left out."""

    id: UserId
    fields: dict[str, Any] = {}


class ItemRow(_Row):
    """An item as the outside writes one.

    A hidden item is in no answer, nor is one from `expires_at` on.
    """

    id: Identifier
    fields: dict[str, Any] = {}
    hidden: bool = Field(False, strict=True)
    expires_at: Time | None = None


@dataclass(frozen=True)
class Batch:
    """`rows[n]` was raw row `indexes[n]`; `duplicates_within` are raw rows that repeat an earlier
    one of the batch, and every other raw row has one or more rejections."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates_within: list[int] = field(default_factory=list)


def read_items(domain: Domain, raw_rows: Sequence[Any]) -> Batch:
    """Judge items one by one; never raises for their content.

    Codes of rejections: not_an_object, missing_field, unknown_field, invalid_value, too_large,
    conflict (an id that stands earlier in the batch with other content).
    """
    return _read(ItemRow, domain.item.fields, raw_rows)


def read_users(domain: Domain, raw_rows: Sequence[Any]) -> Batch:
    """Judge users one by one, as `read_items` does."""
    return _read(UserRow, domain.user.fields, raw_rows)


def read_item_patch(domain: Domain, raw: Any) -> Batch:
    """Judge one change of an item: a null field is kept, for it removes what is there; `hidden` and
    `expires_at` are in the row only if they were given."""
    return _read(ItemRow, domain.item.fields, [raw], patch=True)


def read_user_patch(domain: Domain, raw: Any) -> Batch:
    """Judge one change of a user, as `read_item_patch` does."""
    return _read(UserRow, domain.user.fields, [raw], patch=True)


def _read(
    form: type[_Row],
    specs: Mapping[str, FieldSpec],
    raw_rows: Sequence[Any],
    *,
    patch: bool = False,
) -> Batch:
    batch = Batch()
    first: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, raw in enumerate(raw_rows):
        try:
            row = form.model_validate(raw).model_dump(exclude_unset=patch)
        except ValidationError as error:
            batch.rejected.append(rejection_of(index, error))
            continue
        row["fields"], problems = _check_fields(index, specs, row.get("fields", {}), patch)
        if problems:
            batch.rejected.extend(problems)
            continue
        earlier, same = first.setdefault(row["id"], (index, row))
        if earlier == index:
            batch.rows.append(row)
            batch.indexes.append(index)
        elif same == row:
            batch.duplicates_within.append(index)
        else:
            batch.rejected.append(_repeated(index, row["id"], earlier))
    return batch


def _check_fields(
    index: int, specs: Mapping[str, FieldSpec], fields: Mapping[str, Any], keep_null: bool
) -> tuple[dict[str, Any], list[Rejection]]:
    """The fields that have a value, each of its type, and what is wrong with the others."""
    values: dict[str, Any] = {}
    problems: list[Rejection] = []
    for name, value in fields.items():
        spec = specs.get(name)
        if spec is None:
            problems.append(_unknown(index, specs, name))
        elif value is None:
            values |= {name: None} if keep_null else {}
        else:
            try:
                values[name] = _check_of(spec).validate_python(value)
            except ValidationError as error:
                problems.append(rejection_of(index, error, f"fields.{name}"))
    return values, problems


def _check_of(spec: FieldSpec) -> TypeAdapter[Any]:
    # Node ids and filtered properties stand in range indexes, which refuse values over 8 kB.
    short = spec.type == "string" and (spec.node or spec.filter)
    return _SHORT if short else _CHECKS[spec.type]


def _unknown(index: int, specs: Mapping[str, FieldSpec], name: str) -> Rejection:
    detail = f"there is no such field; the domain has {', '.join(specs) or 'none'}"
    where = quoted(f"fields.{name}", bare=True)
    return {"index": index, "code": "unknown_field", "field": where, "detail": detail}


def _repeated(index: int, row_id: str, earlier: int) -> Rejection:
    detail = f"{quoted(row_id)} stands in row {earlier} of this batch with other content"
    return {"index": index, "code": "conflict", "field": "id", "detail": detail}
