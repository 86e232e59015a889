"""Served lists, from the answer's side: kept before their id is told, and gone on from.

Kept means that Redis has it durably: the graph's transaction is not waited for, and whoever writes
events writes the lists they name first (ingest.stream.served). A cursor is the id of the page
before, which knows what stood on it and on those before it. A list that cannot be kept has no id,
and the answer says so: people are answered none the less.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from api.answers.answer import Answer, Query
from api.answers.recommender import Recommender
from api.problems import InvalidError
from api.serving.serving import ATTEMPTS
from api.state import State
from graphdb.answers.served import ServedRow, fetch_served
from graphdb.errors import GraphUnavailableError
from graphdb.events.event_row import micros
from ingest.event import json_text
from ingest.stream.stream import StreamUnavailableError

MOST_SHOWN = 2000
"""Items that a list has on all of its pages."""


@dataclass(frozen=True)
class Served:
    """What an answer says of its list: both None for one that could not be kept, the cursor for
    one that does not go on."""

    id: str | None
    next_cursor: str | None


def fetch_list(state: State, id: str) -> ServedRow | None:
    """The list of this id, whether the graph has it yet or not."""
    # Redis outside of the breaker: what it says is no word on the graph.
    return state.lists.fetch(id, lambda id: state.breaker.call(fetch_served, state.graph, id))


@dataclass(frozen=True)
class Before:
    """What was shown before a page: what its own list had, so many `ranks` of it, then what stood
    beside that."""

    items: tuple[str, ...] = ()
    ranks: int = 0

    @property
    def own(self) -> tuple[str, ...]:
        """What the list itself had, in order."""
        return self.items[: self.ranks]

    def beside(self, others: Iterable[str]) -> "Before":
        """With these beside it, nothing twice."""
        return Before(tuple(dict.fromkeys((*self.items, *others))), self.ranks)


def shown_before(state: State, cursor: str | None, field: str) -> Before:
    """What the pages before have. Raises InvalidError, naming `field`, for a cursor of no list."""
    if cursor is None:
        return Before()
    row = fetch_list(state, cursor)
    if row is None:
        detail = "expected the next_cursor of a list that is still kept"
        raise InvalidError("the cursor is not valid", [{"field": field, "detail": detail}])
    earlier = row["first_rank"] - 1
    own = (*row["before"][:earlier], *row["items"])
    return Before(own, len(own)).beside(row["before"][earlier:])


def gone_on(answer: Answer, before: Before) -> Answer:
    """The answer as the page after: its ranks go on."""
    items = [replace(item, rank=item.rank + before.ranks) for item in answer.items]
    return replace(answer, items=items)


def together(recommender: Recommender, queries: Sequence[Query]) -> list[Answer]:
    """An answer to each: one after the other, so that nothing is in two of them, and all by one
    version but where a query names its own."""
    for _ in range(ATTEMPTS):
        answers: list[Answer] = []
        for query in queries:
            shown = {item.id for answer in answers for item in answer.items}
            asked = replace(query, exclude_ids=query.exclude_ids | shown)
            answers.append(recommender.recommend(asked))
        versions = {
            answer.model_version
            for query, answer in zip(queries, answers, strict=True)
            if query.model_version is None and answer.model_version is not None
        }
        if len(versions) < 2:
            return answers
    raise GraphUnavailableError("what serves changed faster than it could be read")


def keep(
    state: State,
    query: Query,
    answer: Answer,
    before: Before,
    scenario: str | None,
    context: dict[str, Any] | None,
) -> tuple[Answer, Served]:
    """Keep an answer as a served list; the answer says where it could not be."""
    items = [item.id for item in answer.items]
    row: ServedRow = {
        "id": secrets.token_urlsafe(16),
        "user_id": query.user_id,
        "at": micros(datetime.now(UTC)),
        "scenario": scenario,
        "context": None if context is None else json_text(context),
        "model_version": answer.model_version,
        "fallback": answer.fallback,
        "degraded": answer.degraded,
        "first_rank": before.ranks + 1,
        "before": list(before.items),
        "items": items,
        "scores": [float(item.score or 0.0) for item in answer.items],
        "sources": ["+".join(item.sources) for item in answer.items],
        "rules": [item.rule or "" for item in answer.items],
        "acted": sorted(answer.rules),
    }
    try:
        state.lists.keep(row)
    except StreamUnavailableError:
        return replace(answer, degraded=[*answer.degraded, "served"]), Served(None, None)
    more = len(items) == query.k and len(before.items) + len(items) < MOST_SHOWN
    return answer, Served(row["id"], row["id"] if more else None)
