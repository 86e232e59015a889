"""What is told of reasons: what a request may ask for beside them, and the shapes of an answer."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field

from api.answers.answer import Told
from api.reasons.reasons import Reason

Include = Literal["reasons", "item", Told]

REASONS = 3
"""Events named an item; the others are summed, so that the shares still add up."""
TOLD = (
    "knowledge: what ties a reason's item to this one; paths: the person's event and the version's "
    "weight, as they stand in the graph; cypher: the statement that fetches the path; attention: "
    "what the model attended to of the person's, which is no attribution."
)
INCLUDE = (
    "reasons: what carries each score; item: the item's fields. With reasons, which they bring "
    f"along, {TOLD}"
)


class TieOut(BaseModel):
    """What ties two items, or an item and the person; `by`: a field or relation of the domain.

    kind: shared (both have `id` by it, as `items` items do), relation (it leads `from` one of them
    `to` the other), together (of `of` people who chose the one `people` chose the other), or social
    (of `of` people that it leads the person to `people` chose the item; ids, if the domain allows
    it, of some of them).
    """

    kind: Literal["shared", "relation", "together", "social"]
    by: str | None = None
    id: str | None = None
    items: int | None = None
    from_: str | None = Field(None, alias="from")
    to: str | None = None
    people: int | None = None
    of: int | None = None
    ids: list[str] | None = None


class CarriesOut(BaseModel):
    """What of a contribution the item–item weight carries, and what the vectors: together it is
    the contribution."""

    similar: float
    vectors: float


class PathOut(BaseModel):
    """Nodes, and the relationships from each to the next: the person's latest event on the item
    and, where the version has one, its weight from there."""

    nodes: list[dict[str, Any]]
    relationships: list[dict[str, Any]]
    carries: CarriesOut


class CypherOut(BaseModel):
    """A statement that reads, for `pathlight cypher`: it returns the path's nodes and
    relationships, and no weight of a version that is gone."""

    statement: str
    parameters: dict[str, Any]


class AttentionOut(BaseModel):
    """The share of the person's events on the item in their vector, as the model weighed them: what
    it looked at, which is not what the score is the sum of."""

    share: float
    attribution: Literal[False]


class ReasonOut(BaseModel):
    """One part of a score. Contributions are signed and add up to the score; `share` is of the
    positive ones. kind: event, other_events (count of them), or general_taste. knowledge explains
    and carries nothing."""

    kind: str
    contribution: float
    share: float
    item_id: str | None = None
    title: str | None = None
    event_type: str | None = None
    at: str | None = None
    count: int | None = None
    knowledge: list[TieOut] | None = None
    path: PathOut | None = None
    cypher: CypherOut | None = None
    attention: AttentionOut | None = None


def wanted_of(include: Collection[Include]) -> dict[str, Any]:
    """What of a query follows from `include`: what is told of reasons brings them along."""
    told = frozenset(get_args(Told)).intersection(include)
    return {
        "reasons": REASONS if told or "reasons" in include else 0,
        "fields": "item" in include,
        "told": told,
    }


def reasons_out(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Reasons, each with what it has; what a weight carries is told with its path."""
    return [
        {k: v for k, v in asdict(reason).items() if v is not None and k != "walked"}
        for reason in reasons
    ]
