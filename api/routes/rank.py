"""Ranking: a list of the caller's own, put into a person's order."""

import time
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, ConfigDict, Field

from api.answers.answer import Query as Asked
from api.answers.asking import AskerWithEvents, Id, person_asking
from api.answers.own_list import rank
from api.problems import responses
from api.reasons.telling import INCLUDE, Include, wanted_of
from api.routes.recommendations import MOST_ITEMS, AnswerOut, answer_out
from api.state import Current

router = APIRouter(tags=["recommendations"])


def _once(items: list[str]) -> list[str]:
    if len(set(items)) < len(items):
        raise ValueError("expected each item once")
    return items


class RankBody(AskerWithEvents):
    """Exactly one of user_id, anonymous_id and session says who asks, items what is ranked."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "196", "items": ["302", "242", "new"]}]}
    )

    items: Annotated[list[Id], Field(min_length=1, max_length=MOST_ITEMS), AfterValidator(_once)]
    include: list[Include] = Field([], description=INCLUDE)


@router.post("/v1/rank", responses=responses(422, 503), response_model_exclude_unset=True)
def post_rank(state: Current, body: RankBody) -> AnswerOut:
    """Your items, best first; last, in your order and without a score, those that are not known.
    Hidden, expired and deleted items are left out."""
    started = time.perf_counter()
    user_id, session = person_asking(state.domain, body, "body")
    asked = Asked(user_id=user_id, session=session, **wanted_of(body.include))
    answer = rank(state.serving, state.recommender, state.domain, asked, body.items)
    return answer_out(answer, started)
