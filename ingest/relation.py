"""Relations as the outside world writes them, judged row by row against the domain's.

A raw row is `{"type": "follows", "from": "ann", "to": "bob", "weight": 0.5}`. It knows no database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from graphdb.catalogue.relations import RelationRow
from graphdb.domain import Domain
from graphdb.specs import RelationSpec
from ingest.problem import Identifier, Rejection, UserId, quoted, rejection_of

LARGEST_WEIGHT = 1e15


class Relation(BaseModel):
    """An edge of the knowledge graph, of a type that the domain has."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"type": "sequel_of", "from": "aliens", "to": "alien"}]},
    )

    type: Identifier = Field(description="One of the domain's relations.")
    start: Identifier = Field(alias="from", description="The id of the user or item it starts at.")
    end: Identifier = Field(alias="to", description="The id of the user, item or attribute.")
    weight: float | None = Field(
        None, strict=True, allow_inf_nan=False, ge=-LARGEST_WEIGHT, le=LARGEST_WEIGHT
    )


_USER = TypeAdapter(UserId)


@dataclass(frozen=True)
class Batch:
    """What became of raw rows: each stands in exactly one of the three lists.

    `rows[n]` was raw row `indexes[n]`; `duplicates_within` are raw rows that repeat an earlier one.
    """

    rows: list[RelationRow] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates_within: list[int] = field(default_factory=list)


def read_relations(domain: Domain, raw_rows: Sequence[Any]) -> Batch:
    """Judge raw rows one by one; never raises for their content.

    Codes of rejections: not_an_object, missing_field, unknown_field, invalid_value, too_large,
    unknown_relation, conflict (a relation that stands earlier in the batch with another weight).
    """
    batch = Batch()
    first: dict[tuple[str, str, str], tuple[int, RelationRow]] = {}
    for index, raw in enumerate(raw_rows):
        try:
            relation = Relation.model_validate(raw)
        except ValidationError as error:
            batch.rejected.append(rejection_of(index, error))
            continue
        if problem := _problem(domain, index, relation):
            batch.rejected.append(problem)
            continue
        row: RelationRow = {
            "type": relation.type,
            "start": relation.start,
            "end": relation.end,
            "weight": relation.weight,
        }
        earlier, same = first.setdefault((row["type"], row["start"], row["end"]), (index, row))
        if earlier == index:
            batch.rows.append(row)
            batch.indexes.append(index)
        elif same == row:
            batch.duplicates_within.append(index)
        else:
            batch.rejected.append(_repeated(index, earlier))
    return batch


def _problem(domain: Domain, index: int, relation: Relation) -> Rejection | None:
    spec = domain.relations.get(relation.type)
    if spec is None:
        return _unknown_type(domain.relations, domain.name, index, relation.type)
    ends = (("from", spec.from_, relation.start), ("to", spec.to, relation.end))
    for name, kind, id in ends:
        if kind == "user":
            try:
                _USER.validate_python(id)
            except ValidationError as error:
                return rejection_of(index, error, name)
    if spec.from_ == spec.to and relation.start == relation.end:
        detail = f"expected another {spec.to} than the one in from"
        return {"index": index, "code": "invalid_value", "field": "to", "detail": detail}
    return None


def _unknown_type(
    relations: Mapping[str, RelationSpec], domain: str, index: int, name: str
) -> Rejection:
    known = ", ".join(sorted(relations)) or "none"
    detail = f"no relation {quoted(name)} in domain {domain}; it has {known}"
    return {"index": index, "code": "unknown_relation", "field": "type", "detail": detail}


def _repeated(index: int, earlier: int) -> Rejection:
    detail = f"this relation stands in row {earlier} of this batch with another weight"
    return {"index": index, "code": "conflict", "field": "weight", "detail": detail}
