"""People like a person, under /v1/users."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.answers.similar import similar_people
from api.problems import NotFoundError, responses
from api.routes.recommendations import MOST_ITEMS, took_ms
from api.state import Current

router = APIRouter(tags=["recommendations"])


class PeopleQuery(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=MOST_ITEMS)


class PersonOut(BaseModel):
    """score: the cosine of both people's vectors."""

    id: str
    rank: int
    score: float


class PeopleOut(BaseModel):
    """People, most alike first; none for somebody of whom no event counts here."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model_version": "20261121-081500-3f8a1c",
                    "users": [{"id": "41", "rank": 1, "score": 0.82}],
                    "took_ms": 4.1,
                }
            ]
        }
    )

    model_version: str | None
    users: list[PersonOut]
    took_ms: float


@router.get("/v1/users/{id:id}/similar", responses=responses(404, 422, 503))
def get_similar_people(
    state: Current,
    id: Annotated[str, Path(description="Your own id; a slash in it is written %2F.")],
    query: Annotated[PeopleQuery, Query()],
) -> PeopleOut:
    """People whose taste is like a person's; it is an answer for you, not for the person."""
    started = time.perf_counter()
    found = similar_people(state.serving, state.recommender, id, query.k)
    if found is None:
        raise NotFoundError(f"there is no person {id[:80]!r}")
    version, rows = found
    return PeopleOut(
        model_version=version,
        users=[PersonOut(rank=rank, **row) for rank, row in enumerate(rows, 1)],
        took_ms=took_ms(started),
    )
