"""What the API takes and answers; `python -m api.client_types` made it."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class Accepted(TypedDict):
    """What became of the rows: each is counted exactly once."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


class AnswerOut(TypedDict):
    """as_of: the time of the version's events; newer ones are folded in. fallback: null when
    fresh and personal, else what answered: published, session, profile, trending, popular,
    latest, static, or given (a ranking in your own order). empty: why nothing was left, where
    it is known. rules: those of the domain that acted. recommendation_id: of the list that is
    kept, null where it could not be; next_cursor: null where the list does not go on."""

    recommendation_id: NotRequired[str | None]
    model_version: str | None
    as_of: str | None
    items: list[ItemOut]
    next_cursor: NotRequired[str | None]
    fallback: str | None
    degraded: list[str]
    empty: NotRequired[str | None]
    rules: NotRequired[list[RuleOut]]
    took_ms: float


class AttentionOut(TypedDict):
    """The share of the person's events on the item in their vector, as the model weighed them:
    what it looked at, which is not what the score is the sum of."""

    share: float
    attribution: Literal[False]


class CarriesOut(TypedDict):
    """What of a contribution the item–item weight carries, and what the vectors: together it is
    the contribution."""

    similar: float
    vectors: float


class CypherOut(TypedDict):
    """A statement that reads, for `pathlight cypher`: it returns the path's nodes and
    relationships, and no weight of a version that is gone."""

    statement: str
    parameters: dict[str, Any]


class Event(TypedDict):
    """One thing somebody did with an item."""

    event_id: NotRequired[str | None]
    event_type: str
    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    item_id: str
    occurred_at: str | float
    value: NotRequired[float | None]
    session_id: NotRequired[str | None]
    properties: NotRequired[dict[str, Any] | None]
    context: NotRequired[dict[str, Any] | None]
    recommendation_id: NotRequired[str | None]
    position: NotRequired[int | None]
    impressions: NotRequired[list[str] | None]


class EventsQuery(TypedDict):
    """What /v1/events takes as a query."""

    wait: NotRequired[bool]
    validate_only: NotRequired[bool]


class ExplainOut(TypedDict):
    """The item as it is; changed: score, rank and reasons without the events on `without`;
    knowledge: what ties the item to the person."""

    score: float
    rank: int | None
    reasons: list[ReasonOut]
    model_version: str
    as_of: str
    item_id: str
    without: list[str]
    changed: JudgedOut | None
    knowledge: NotRequired[list[TieOut] | None]
    degraded: list[str]
    took_ms: float


class ItemBody(TypedDict):
    """An item's fields as the domain names them. A hidden item is in no answer, nor is one from
    `expires_at` on."""

    fields: NotRequired[dict[str, Any]]
    hidden: NotRequired[bool]
    expires_at: NotRequired[str | float | None]


class ItemOut(TypedDict):
    """sources: vector (near the person's vector), similar (from their events), knowledge and
    social (by walks), filter (passes it), catalogue (is there, where the events say nothing of
    where to look), exact (the same without an index), memory, or the link of the fallback chain
    that it comes from; given for items to rank; the ranking's name in one; or a source or rule
    of the domain's. boost: how many times its score is counted, where it is not once. rule:
    which one placed it here, where one did. knowledge: what ties it to the person."""

    id: str
    rank: int
    score: float | None
    sources: list[str]
    reasons: NotRequired[list[ReasonOut] | None]
    item: NotRequired[dict[str, Any] | None]
    boost: NotRequired[float | None]
    rule: NotRequired[str | None]
    knowledge: NotRequired[list[TieOut] | None]


class ItemPage(TypedDict):
    """Items in the order of their ids; next_cursor is null at the end."""

    items: list[SavedItem]
    next_cursor: str | None


class ItemRow(TypedDict):
    """An item as the outside writes one. A hidden item is in no answer, nor is one from
    `expires_at` on."""

    id: str
    fields: NotRequired[dict[str, Any]]
    hidden: NotRequired[bool]
    expires_at: NotRequired[str | float | None]


class ItemsQuery(TypedDict):
    """What /v1/items takes as a query."""

    cursor: NotRequired[str | None]
    limit: NotRequired[int]


class ItemsSimilarQuery(TypedDict):
    """What /v1/items/{id}/similar takes as a query."""

    k: NotRequired[int]
    exclude_ids: NotRequired[list[str]]
    by: NotRequired[Literal["behaviour", "text", "knowledge"] | None]


class JudgedOut(TypedDict):
    """rank: among everything that may be shown to the person; null for what is not (seen,
    hidden). The reasons' contributions add up to the score."""

    score: float
    rank: int | None
    reasons: list[ReasonOut]


class Listed(TypedDict):
    """A list that is kept, or goes on from one that was."""

    diversity: NotRequired[float]
    novelty: NotRequired[float]
    calibration: NotRequired[float]
    rotation: NotRequired[float]
    min_relevance: NotRequired[float]
    exposure: NotRequired[list[str]]
    k: NotRequired[int]
    exclude_ids: NotRequired[list[str]]
    exclude_seen: NotRequired[bool]
    filter: NotRequired[str | None]
    boost: NotRequired[list[str]]
    model_version: NotRequired[str | None]
    include: NotRequired[
        list[Literal["reasons", "item", "knowledge", "paths", "cypher", "attention"]]
    ]
    scenario: NotRequired[str | None]
    cursor: NotRequired[str | None]


class MergeBody(TypedDict):
    """Who turned out to be the target: somebody known by `source`, or an `anonymous_id`."""

    source: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]


class Merged(TypedDict):
    """The person whose answers both get from now on: the target, or whom it was joined to."""

    user_id: str


class PageBody(TypedDict):
    """Exactly one of user_id, anonymous_id and session says who asks; each row is a list."""

    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    session: NotRequired[list[str | SessionEvent] | None]
    rows: list[Listed]
    context: NotRequired[dict[str, Any] | None]
    dry_run: NotRequired[bool]


class PageOut(TypedDict):
    """The rows as they were asked for; each is a served list of its own."""

    rows: list[AnswerOut]
    took_ms: float


class PathOut(TypedDict):
    """Nodes, and the relationships from each to the next: the person's latest event on the item
    and, where the version has one, its weight from there."""

    nodes: list[dict[str, Any]]
    relationships: list[dict[str, Any]]
    carries: CarriesOut


class PeopleOut(TypedDict):
    """People, most alike first; none for somebody of whom no event counts here."""

    model_version: str | None
    users: list[PersonOut]
    took_ms: float


class PersonOut(TypedDict):
    """score: the cosine of both people's vectors."""

    id: str
    rank: int
    score: float


class RankBody(TypedDict):
    """Exactly one of user_id, anonymous_id and session says who asks, items what is ranked."""

    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    session: NotRequired[list[str | SessionEvent] | None]
    items: list[str]
    include: NotRequired[
        list[Literal["reasons", "item", "knowledge", "paths", "cypher", "attention"]]
    ]


class RankingsQuery(TypedDict):
    """What /v1/rankings/{name} takes as a query."""

    k: NotRequired[int]
    exclude_ids: NotRequired[list[str]]
    include: NotRequired[list[Literal["item"]]]


class ReasonOut(TypedDict):
    """One part of a score. Contributions are signed and add up to the score; `share` is of the
    positive ones. kind: event, other_events (count of them), or general_taste. knowledge
    explains and carries nothing."""

    kind: str
    contribution: float
    share: float
    item_id: NotRequired[str | None]
    title: NotRequired[str | None]
    event_type: NotRequired[str | None]
    at: NotRequired[str | None]
    count: NotRequired[int | None]
    knowledge: NotRequired[list[TieOut] | None]
    path: NotRequired[PathOut | None]
    cypher: NotRequired[CypherOut | None]
    attention: NotRequired[AttentionOut | None]


class RecommendationBody(TypedDict):
    """Exactly one of user_id, anonymous_id and session says who asks."""

    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    session: NotRequired[list[str | SessionEvent] | None]
    diversity: NotRequired[float]
    novelty: NotRequired[float]
    calibration: NotRequired[float]
    rotation: NotRequired[float]
    min_relevance: NotRequired[float]
    exposure: NotRequired[list[str]]
    k: NotRequired[int]
    exclude_ids: NotRequired[list[str]]
    exclude_seen: NotRequired[bool]
    filter: NotRequired[str | None]
    boost: NotRequired[list[str]]
    model_version: NotRequired[str | None]
    include: NotRequired[
        list[Literal["reasons", "item", "knowledge", "paths", "cypher", "attention"]]
    ]
    scenario: NotRequired[str | None]
    cursor: NotRequired[str | None]
    context: NotRequired[dict[str, Any] | None]
    dry_run: NotRequired[bool]


class RecommendationsExplainQuery(TypedDict):
    """What /v1/recommendations/{id}/explain takes as a query."""

    item: str
    without: NotRequired[list[str]]
    reasons: NotRequired[int]
    include: NotRequired[list[Literal["knowledge", "paths", "cypher", "attention"]]]


class RecommendationsQuery(TypedDict):
    """What /v1/recommendations takes as a query."""

    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    session: NotRequired[list[str] | None]
    diversity: NotRequired[float]
    novelty: NotRequired[float]
    calibration: NotRequired[float]
    rotation: NotRequired[float]
    min_relevance: NotRequired[float]
    exposure: NotRequired[list[str]]
    k: NotRequired[int]
    exclude_ids: NotRequired[list[str]]
    exclude_seen: NotRequired[bool]
    filter: NotRequired[str | None]
    boost: NotRequired[list[str]]
    model_version: NotRequired[str | None]
    include: NotRequired[
        list[Literal["reasons", "item", "knowledge", "paths", "cypher", "attention"]]
    ]


class Rejected(TypedDict):
    """Why one row was not taken; its neighbours were."""

    index: int
    code: str
    field: str
    detail: str


Relation = TypedDict(
    "Relation", {"type": str, "from": str, "to": str, "weight": NotRequired[float | None]}
)


RelationsQuery = TypedDict("RelationsQuery", {"type": str, "from": str, "to": str})


class RuleOut(TypedDict):
    """A rule of the domain that acted: how many items it held back, or placed."""

    rule: str
    items: int


class SavedItem(TypedDict):
    """An item as it was saved; one that only an event has named has no fields."""

    id: str
    fields: dict[str, Any]
    hidden: bool
    expires_at: str | None
    created_at: str | None


class SessionEvent(TypedDict):
    """One event of a session, which is now: it has no time and nothing of it is kept."""

    item_id: str
    event_type: str
    value: NotRequired[float | None]


class ShownExplainOut(TypedDict):
    """The item as it is now; shown: as it was in the list."""

    score: float
    rank: int | None
    reasons: list[ReasonOut]
    model_version: str
    as_of: str
    item_id: str
    without: list[str]
    changed: JudgedOut | None
    knowledge: NotRequired[list[TieOut] | None]
    degraded: list[str]
    took_ms: float
    recommendation_id: str
    shown: ShownOut


class ShownOut(TypedDict):
    """What was shown then: the item's score and rank in the list, and what had answered."""

    at: str
    model_version: str | None
    score: float
    rank: int
    sources: list[str]


TieOut = TypedDict(
    "TieOut",
    {
        "kind": Literal["shared", "relation", "together", "social"],
        "by": NotRequired[str | None],
        "id": NotRequired[str | None],
        "items": NotRequired[int | None],
        "from": NotRequired[str | None],
        "to": NotRequired[str | None],
        "people": NotRequired[int | None],
        "of": NotRequired[int | None],
        "ids": NotRequired[list[str] | None],
    },
)


class Tracked(TypedDict):
    """An event as it is tracked."""

    event_id: NotRequired[str | None]
    event_type: str
    user_id: NotRequired[str | None]
    anonymous_id: NotRequired[str | None]
    item_id: str
    occurred_at: NotRequired[str | float]
    value: NotRequired[float | None]
    session_id: NotRequired[str | None]
    properties: NotRequired[dict[str, Any] | None]
    context: NotRequired[dict[str, Any] | None]
    recommendation_id: NotRequired[str | None]
    position: NotRequired[int | None]
    impressions: NotRequired[list[str] | None]


class UserBody(TypedDict):
    """A person's fields as the domain names them."""

    fields: NotRequired[dict[str, Any]]


class UserOut(TypedDict):
    """A person as saved; same_as: to whom they were joined, whose answers are theirs."""

    id: str
    fields: dict[str, Any]
    same_as: str | None
    created_at: str | None


class UserPage(TypedDict):
    """People in the order of their ids; next_cursor is null at the end."""

    users: list[UserOut]
    next_cursor: str | None


class UserRow(TypedDict):
    """A user as the outside writes one; `fields` are the domain's, a null one is left out."""

    id: str
    fields: NotRequired[dict[str, Any]]


class UsersExplainQuery(TypedDict):
    """What /v1/users/{id}/explain takes as a query."""

    item: str
    without: NotRequired[list[str]]
    reasons: NotRequired[int]
    include: NotRequired[list[Literal["knowledge", "paths", "cypher", "attention"]]]


class UsersQuery(TypedDict):
    """What /v1/users takes as a query."""

    cursor: NotRequired[str | None]
    limit: NotRequired[int]


class UsersSimilarQuery(TypedDict):
    """What /v1/users/{id}/similar takes as a query."""

    k: NotRequired[int]
