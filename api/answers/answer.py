"""What is asked of the recommender and what it answers: shapes only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from api.reasons.reasons import Reason
from graphdb.answers.retrieval import NewEvent
from graphdb.errors import PathlightError
from graphdb.filters import Boost, Filter
from training.reranking import Dials

Told = Literal["knowledge", "paths", "cypher", "attention"]
"""What may be told beside each reason."""


class NothingPublishedError(PathlightError):
    """No version was ever published and the graph does not answer: there is nothing to say."""


@dataclass(frozen=True)
class Query:
    """What is asked. user_id: empty for whoever is known by `session`, their events, alone;
    before: what the list's pages before this one have, in order; filter: what an item must pass;
    boosts: what counts more or less; dials: how the order departs from the scores; reasons: how
    many events to name an item, 0 for none; told: what is told beside each; model_version: which is
    to answer, without it the one that serves."""

    user_id: str
    k: int = 10
    exclude_ids: frozenset[str] = frozenset()
    before: tuple[str, ...] = ()
    exclude_seen: bool = True
    filter: Filter | None = None
    boosts: tuple[Boost, ...] = ()
    reasons: int = 0
    told: frozenset[Told] = frozenset()
    fields: bool = False
    session: tuple[NewEvent, ...] = ()
    dials: Dials = Dials()
    model_version: str | None = None


@dataclass(frozen=True)
class Recommended:
    """One item of an answer; score: None for an item that was given and is not known; boost: how
    many times the score is counted; rule: which one placed it here; knowledge: what ties it to the
    person."""

    id: str
    rank: int
    score: float | None
    sources: list[str]
    reasons: list[Reason] = field(default_factory=list)
    item: dict[str, Any] | None = None
    boost: float = 1.0
    rule: str | None = None
    knowledge: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Answer:
    """items, best first; fallback: None when fresh and personal, else the link of the chain that
    answered; degraded: what is down; empty: why a filter or rules left nothing; rules: how many
    items each rule that acted held back or placed."""

    model_version: str | None
    as_of: datetime | None
    items: list[Recommended]
    fallback: str | None = None
    degraded: list[str] = field(default_factory=list)
    empty: str | None = None
    rules: dict[str, int] = field(default_factory=dict)
