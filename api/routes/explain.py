"""Why an item for a person, and what would change without some of their events."""

import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.asking import Id
from api.explanation import Judged, explain
from api.problems import responses
from api.routes.recommendations import REASONS, ReasonOut, reasons_out, took_ms
from api.state import Current

router = APIRouter(tags=["recommendations"])


class ExplainQuery(BaseModel):
    """Which item, and whose events on which items are to be left out."""

    model_config = ConfigDict(extra="forbid")

    item: Id
    without: list[Id] = Field(
        [], max_length=100, description="Items: the person's events on them are removed."
    )
    reasons: int = Field(REASONS, ge=1, le=100, description="How many events are named.")


class JudgedOut(BaseModel):
    """rank: among everything that may be shown to the person; null for what is not (seen, hidden).
    The reasons' contributions add up to the score."""

    score: float
    rank: int | None
    reasons: list[ReasonOut]


class ExplainOut(JudgedOut):
    """The item as it is; changed: score, rank and reasons without the events on `without`."""

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
    degraded: list[str]
    took_ms: float


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
    found = explain(
        state.serving,
        state.recommender,
        state.domain,
        id,
        query.item,
        frozenset(query.without),
        query.reasons,
    )
    return ExplainOut(
        model_version=found.model_version,
        as_of=found.as_of,
        item_id=query.item,
        without=query.without,
        changed=JudgedOut(**_told(found.changed)) if found.changed else None,
        degraded=list(found.degraded),
        took_ms=took_ms(started),
        **_told(found.as_it_is),
    )


def _told(judged: Judged) -> dict[str, Any]:
    return {
        "score": judged.score,
        "rank": judged.rank,
        "reasons": reasons_out(judged.reasons),
    }
