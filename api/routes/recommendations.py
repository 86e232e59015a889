"""Recommendations and similar items: what is asked, and the answer with its reasons."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.answers.answer import Answer, Recommended
from api.answers.answer import Query as Asked
from api.answers.asking import Asker, AskerWithEvents, Id, person_asking
from api.answers.dials import dials_asked
from api.answers.served import Before, Served, gone_on, keep, shown_before
from api.answers.similar import By, similar
from api.problems import InvalidError, NotFoundError, responses
from api.reasons.telling import INCLUDE, Include, ReasonOut, TieOut, reasons_out, wanted_of
from api.state import Current
from graphdb.answers.retrieval import NewEvent
from graphdb.domain import Domain
from graphdb.filters import FilterError, parse_boost, parse_filter
from ingest.event import JsonObject
from ingest.problem import Identifier
from training.reranking import Dials

T = TypeVar("T")

MOST_ITEMS = 500
FIRST_PAGE = Before()

router = APIRouter(tags=["recommendations"])


class PublicQuery(BaseModel):
    """How many, and what must not be in the answer, whoever asks."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=MOST_ITEMS)
    exclude_ids: list[Id] = Field([], max_length=1000)


class Wanted(PublicQuery, Dials):
    """What a person's list is to be like, and what is told of it."""

    exclude_seen: bool = True
    filter: str | None = Field(
        None, description="What an item must pass.", examples=["year >= 1990 and has genres"]
    )
    boost: list[str] = Field(
        [],
        max_length=5,
        description="Filters with a factor: what passes counts so many times.",
        examples=[["year >= 1990 by 2"]],
    )
    model_version: Id | None = Field(
        None, description="Which version is to answer: it must serve or stand by."
    )
    include: list[Include] = Field([], description=INCLUDE)


class Listed(Wanted):
    """A list that is kept, or goes on from one that was."""

    scenario: Identifier | None = Field(
        None, max_length=100, description="Where the list is shown; kept with it."
    )
    cursor: Id | None = Field(
        None, description="The next_cursor of the page before: nothing of it comes again."
    )


class RecommendationQuery(Wanted, Asker):
    """The short form: a session is its items."""


class RecommendationBody(Listed, AskerWithEvents):
    """Exactly one of user_id, anonymous_id and session says who asks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user_id": "196", "k": 5, "include": ["reasons", "item"]}]
        },
    )

    context: JsonObject | None = Field(
        None, description="What else is to be kept with the list, as JSON of at most 8192 bytes."
    )
    dry_run: bool = Field(False, description="Answer as ever and keep nothing.")


class ItemOut(BaseModel):
    """sources: vector (near the person's vector), similar (from their events), knowledge and social
    (by walks), filter (passes it), catalogue (is there, where the events say nothing of where to
    look), exact (the same without an index), memory, or the link of the fallback chain that it
    comes from; given for items to rank; the ranking's name in one; or a source or rule of the
    domain's. boost: how many times its score is counted, where it is not once. rule: which one
    placed it here, where one did. knowledge: what ties it to the person."""

    id: str
    rank: int
    score: float | None = Field(
        description="Null for what has none: an item that the version does not know, or one in a "
        "ranking by a text."
    )
    sources: list[str]
    reasons: list[ReasonOut] | None = None
    item: dict[str, Any] | None = None
    boost: float | None = None
    rule: str | None = None
    knowledge: list[TieOut] | None = None


class RuleOut(BaseModel):
    """A rule of the domain that acted: how many items it held back, or placed."""

    rule: str
    items: int


class AnswerOut(BaseModel):
    """as_of: the time of the version's events; newer ones are folded in. fallback: null
    when fresh and personal, else what answered: published, session, profile, trending, popular,
    latest, static, or given (a ranking in your own order). empty: why nothing was left, where it is
    known. rules: those of the domain that acted.
    recommendation_id: of the list that is kept, null where it could not be; next_cursor: null where
    the list does not go on.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "recommendation_id": "q2Yv8mQe0bWn4T1sX7uKdA",
                    "model_version": "20261121-081500-3f8a1c",
                    "as_of": "2026-11-21T08:15:00Z",
                    "items": [
                        {
                            "id": "302",
                            "rank": 1,
                            "score": 1.25,
                            "sources": ["vector", "similar"],
                            "reasons": [
                                {
                                    "kind": "event",
                                    "contribution": 0.75,
                                    "share": 0.6,
                                    "item_id": "242",
                                    "title": "Kolya",
                                    "event_type": "rated",
                                    "at": "2026-01-05T20:15:00Z",
                                },
                                {"kind": "general_taste", "contribution": 0.5, "share": 0.4},
                            ],
                        }
                    ],
                    "next_cursor": "q2Yv8mQe0bWn4T1sX7uKdA",
                    "fallback": None,
                    "degraded": [],
                    "took_ms": 6.1,
                }
            ]
        }
    )

    recommendation_id: str | None = None
    model_version: str | None
    as_of: datetime | None
    items: list[ItemOut]
    next_cursor: str | None = None
    fallback: str | None
    degraded: list[str]
    empty: str | None = None
    rules: list[RuleOut] = []
    took_ms: float


@router.post(
    "/v1/recommendations", responses=responses(422, 503), response_model_exclude_unset=True
)
def post_recommendations(state: Current, query: RecommendationBody) -> AnswerOut:
    """The best items for a person, with the reasons that make up each score if asked for. The list
    is kept: events that bring its id are its outcomes."""
    started = time.perf_counter()
    before = shown_before(state, query.cursor, "body.cursor")
    person = person_asking(state.domain, query, "body")
    asked = asked_of(state.domain, person, query, "body", before)
    answer = gone_on(state.recommender.recommend(asked), before)
    if query.dry_run:
        return answer_out(answer, started)
    answer, served = keep(state, asked, answer, before, query.scenario, query.context)
    return answer_out(answer, started, served)


@router.get("/v1/recommendations", responses=responses(422, 503), response_model_exclude_unset=True)
def get_recommendations(
    state: Current, query: Annotated[RecommendationQuery, Query()]
) -> AnswerOut:
    """The short form: the same items, lists as repeated parameters, and nothing is stored."""
    started = time.perf_counter()
    asked = asked_of(state.domain, person_asking(state.domain, query, "query"), query, "query")
    return answer_out(state.recommender.recommend(asked), started)


def asked_of(
    domain: Domain,
    person: tuple[str, tuple[NewEvent, ...]],
    query: Wanted,
    place: str,
    before: Before = FIRST_PAGE,
) -> Asked:
    """What a request asks for; place: where it says so, for errors."""
    user_id, session = person
    return Asked(
        user_id=user_id,
        session=session,
        k=query.k,
        exclude_ids=frozenset([*query.exclude_ids, *before.items]),
        before=before.own,
        exclude_seen=query.exclude_seen,
        filter=_read(parse_filter, query.filter, domain, f"{place}.filter")
        if query.filter is not None
        else None,
        boosts=tuple(
            _read(parse_boost, text, domain, f"{place}.boost.{n}")
            for n, text in enumerate(query.boost)
        ),
        **wanted_of(query.include),
        dials=dials_asked(domain, query, place),
        model_version=query.model_version,
    )


def _read(parse: Callable[[str, Domain], T], text: str, domain: Domain, field: str) -> T:
    """What `text` says; a problem of `field` when it cannot be read."""
    try:
        return parse(text, domain)
    except FilterError as error:
        wrong = {"field": field, "position": error.position, "detail": str(error)}
        raise InvalidError("a filter is not valid", [wrong]) from None


class SimilarQuery(PublicQuery):
    """In what items are alike."""

    by: By | None = Field(None, description="Without it behaviour or, where there is none, text.")


@router.get(
    "/v1/items/{id:id}/similar",
    responses=responses(404, 422, 503),
    response_model_exclude_unset=True,
)
def get_similar(
    state: Current,
    id: Annotated[str, Path(description="Your own id; a slash in it is written %2F.")],
    query: Annotated[SimilarQuery, Query()],
) -> AnswerOut:
    """Items that the same people choose, with texts alike, or with knowledge in common."""
    started = time.perf_counter()
    excluded = frozenset(query.exclude_ids)
    answer = similar(state.serving, state.domain, id, query.k, excluded, query.by)
    if answer is None:
        raise NotFoundError(f"there is no item {id[:80]!r}")
    return answer_out(answer, started)


def answer_out(answer: Answer, started: float, served: Served | None = None) -> AnswerOut:
    given: dict[str, Any] = {"empty": answer.empty} if answer.empty else {}
    if served:
        given |= {"recommendation_id": served.id, "next_cursor": served.next_cursor}
    if answer.rules:
        given["rules"] = [RuleOut(rule=rule, items=n) for rule, n in answer.rules.items()]
    return AnswerOut(
        model_version=answer.model_version,
        as_of=answer.as_of,
        items=[_item(item) for item in answer.items],
        fallback=answer.fallback,
        degraded=answer.degraded,
        **given,
        took_ms=took_ms(started),
    )


def took_ms(started: float) -> float:
    """Milliseconds since then, of time.perf_counter."""
    return round((time.perf_counter() - started) * 1000, 3)


def _item(item: Recommended) -> ItemOut:
    """Only what was asked for is set: the rest is left out of the answer."""
    given: dict[str, Any] = {
        "id": item.id,
        "rank": item.rank,
        "score": item.score,
        "sources": item.sources,
    }
    if item.reasons:
        given["reasons"] = reasons_out(item.reasons)
    if item.item is not None:
        given["item"] = item.item
    if item.boost != 1:
        given["boost"] = item.boost
    if item.rule:
        given["rule"] = item.rule
    if item.knowledge:
        given["knowledge"] = item.knowledge
    return ItemOut(**given)
