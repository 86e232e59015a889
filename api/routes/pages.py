"""Pages: several lists for one person, nothing in two of them."""

import time

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.answers.asking import AskerWithEvents, person_asking
from api.answers.served import gone_on, keep, shown_before, together
from api.problems import responses
from api.routes.recommendations import (
    AnswerOut,
    Listed,
    answer_out,
    asked_of,
    took_ms,
)
from api.state import Current
from ingest.event import JsonObject

router = APIRouter(tags=["recommendations"])

MOST_ROWS = 20


class PageBody(AskerWithEvents):
    """Exactly one of user_id, anonymous_id and session says who asks; each row is a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "user_id": "196",
                    "rows": [{"scenario": "new", "filter": "year >= 1995"}, {"scenario": "all"}],
                }
            ]
        }
    )

    rows: list[Listed] = Field(min_length=1, max_length=MOST_ROWS)
    context: JsonObject | None = Field(None, description="What else is to be kept with each list.")
    dry_run: bool = Field(False, description="Answer as ever and keep nothing.")


class PageOut(BaseModel):
    """The rows as they were asked for; each is a served list of its own."""

    rows: list[AnswerOut]
    took_ms: float


@router.post(
    "/v1/recommendations:page", responses=responses(422, 503), response_model_exclude_unset=True
)
def post_page(state: Current, body: PageBody) -> PageOut:
    """Several lists for a person by one version. An item is in the first row that it is best for;
    with the rows' cursors nothing comes again that any of them had."""
    started = time.perf_counter()
    person = person_asking(state.domain, body, "body")
    places = [f"body.rows.{n}" for n in range(len(body.rows))]
    before = [
        shown_before(state, row.cursor, f"{place}.cursor")
        for row, place in zip(body.rows, places, strict=True)
    ]
    shown = [item for one in before for item in one.items]
    before = [one.beside(shown) for one in before]
    queries = [
        asked_of(state.domain, person, row, place, one)
        for row, place, one in zip(body.rows, places, before, strict=True)
    ]
    answers = together(state.recommender, queries)
    rows: list[AnswerOut] = []
    for n, (row, query, answer) in enumerate(zip(body.rows, queries, answers, strict=True)):
        beside = (i.id for m, other in enumerate(answers) if m != n for i in other.items)
        page = gone_on(answer, before[n])
        served = None
        if not body.dry_run:
            shown_by_now = before[n].beside(beside)
            page, served = keep(state, query, page, shown_by_now, row.scenario, body.context)
        rows.append(answer_out(page, started, served))
    return PageOut(rows=rows, took_ms=took_ms(started))
