"""Why an item for a person, and what would change without some of their events."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.answers.answer import Told
from api.answers.asking import Id
from api.answers.served import fetch_list
from api.problems import NotFoundError, responses
from api.reasons.explanation import Judged, explain
from api.reasons.telling import REASONS, TOLD, ReasonOut, TieOut, reasons_out
from api.routes.recommendations import took_ms
from api.state import Current
from graphdb.events.event_row import EPOCH

router = APIRouter(tags=["recommendations"])


class ExplainQuery(BaseModel):
    """Which item, and whose events on which items are to be left out."""

    model_config = ConfigDict(extra="forbid")

    item: Id
    without: list[Id] = Field(
        [], max_length=100, description="Items: the person's events on them are removed."
    )
    reasons: int = Field(REASONS, ge=1, le=100, description="How many events are named.")
    include: list[Told] = Field([], description=TOLD)


class JudgedOut(BaseModel):
    """rank: among everything that may be shown to the person; null for what is not (seen, hidden).
    The reasons' contributions add up to the score."""

    score: float
    rank: int | None
    reasons: list[ReasonOut]


class ExplainOut(JudgedOut):
    """The item as it is; changed: score, rank and reasons without the events on `without`;
    knowledge: what ties the item to the person."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_version": "20261121-081500-3f8a1c",
                    "as_of": "2026-11-21T08:15:00Z",
                    "item_id": "302",
                    "score": 0.75,
                    "rank": 1,
                    "reasons": [
                        {"kind": "event", "contribution": 0.75, "share": 1.0, "item_id": "242"}
                    ],
                    "without": ["242"],
                    "changed": {"score": 0.0, "rank": 17, "reasons": []},
                    "degraded": [],
                    "took_ms": 4.2,
                }
            ]
        }
    )

    model_version: str
    as_of: datetime
    item_id: str
    without: list[str]
    changed: JudgedOut | None
    knowledge: list[TieOut] | None = None
    degraded: list[str]
    took_ms: float


class ShownOut(BaseModel):
    """What was shown then: the item's score and rank in the list, and what had answered."""

    at: datetime
    model_version: str | None
    score: float
    rank: int
    sources: list[str]


class ShownExplainOut(ExplainOut):
    """The item as it is now; shown: as it was in the list."""

    recommendation_id: str
    shown: ShownOut


@router.get(
    "/v1/users/{id:id}/explain",
    responses=responses(404, 422, 503),
    response_model_exclude_unset=True,
)
def get_explanation(
    state: Current,
    id: Annotated[str, Path(description="Your own id; a slash in it is written %2F.")],
    query: Annotated[ExplainQuery, Query()],
) -> ExplainOut:
    """What carries an item's score for a person, and what would change without some events."""
    started = time.perf_counter()
    return ExplainOut(**_explained(state, id, query), took_ms=took_ms(started))


@router.get(
    "/v1/recommendations/{id}/explain",
    responses=responses(404, 422, 503),
    response_model_exclude_unset=True,
)
def get_shown_explanation(
    state: Current, id: str, query: Annotated[ExplainQuery, Query()]
) -> ShownExplainOut:
    """The same for an item of a list that was served, by whom it was shown to, and what was said of
    it then."""
    started = time.perf_counter()
    row = fetch_list(state, id)
    if row is None:
        raise NotFoundError(f"there is no served list {id[:80]!r}")
    if query.item not in row["items"]:
        raise NotFoundError(f"no item {query.item[:80]!r} was on this list")
    if not row["user_id"]:
        raise NotFoundError("the list was shown to nobody who is known: nothing of them is kept")
    place = row["items"].index(query.item)
    shown = ShownOut(
        at=EPOCH + timedelta(microseconds=row["at"]),
        model_version=row["model_version"],
        score=row["scores"][place],
        rank=row["first_rank"] + place,
        sources=row["sources"][place].split("+"),
    )
    told = _explained(state, row["user_id"], query)
    return ShownExplainOut(**told, recommendation_id=id, shown=shown, took_ms=took_ms(started))


def _explained(state: Current, user_id: str, query: ExplainQuery) -> dict[str, Any]:
    found = explain(
        state.serving,
        state.recommender,
        state.domain,
        user_id,
        query.item,
        frozenset(query.without),
        query.reasons,
        query.include,
    )
    knowledge = {"knowledge": found.knowledge} if found.knowledge else {}
    return {
        "model_version": found.model_version,
        "as_of": found.as_of,
        "item_id": query.item,
        "without": query.without,
        "changed": JudgedOut(**_told(found.changed)) if found.changed else None,
        "degraded": list(found.degraded),
        **knowledge,
        **_told(found.as_it_is),
    }


def _told(judged: Judged) -> dict[str, Any]:
    return {
        "score": judged.score,
        "rank": judged.rank,
        "reasons": reasons_out(judged.reasons),
    }
