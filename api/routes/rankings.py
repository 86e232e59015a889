"""Rankings that are the same for everybody, under /v1/rankings."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from api.answers.answer import Query as Asked
from api.problems import NotFoundError, responses
from api.routes.recommendations import AnswerOut, PublicQuery, answer_out
from api.state import Current
from ingest.problem import quoted

router = APIRouter(tags=["recommendations"])


class RankingQuery(PublicQuery):
    """Whether the items' fields are wanted."""

    include: list[Literal["item"]] = Field([], description="item: the item's fields.")


@router.get(
    "/v1/rankings/{name}", responses=responses(404, 422, 503), response_model_exclude_unset=True
)
def get_ranking(
    state: Current,
    name: Annotated[
        str,
        Path(
            description="trending, popular, latest, or the name of a ranking of the domain's own.",
            examples=["trending", "popular", "latest"],
        ),
    ],
    query: Annotated[RankingQuery, Query()],
) -> AnswerOut:
    """What most people chose in the last seven days, ever, what is new, or what a ranking of the
    domain's own says; read every ten seconds at most, as_of says when."""
    started = time.perf_counter()
    if name not in (names := state.recommender.rankings.names):
        raise NotFoundError(f"there is no ranking {quoted(name)}; there are {', '.join(names)}")
    asked = Asked(
        user_id="",
        k=query.k,
        exclude_ids=frozenset(query.exclude_ids),
        fields="item" in query.include,
    )
    return answer_out(state.recommender.ranking(name, asked), started)
