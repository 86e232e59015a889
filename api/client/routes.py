"""The API's routes: each as a function that says how it is asked, and of which type its answer is.

The names of arguments, bodies and answers are the API's. Clients make them their methods.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, Unpack, cast
from urllib.parse import quote

from api.client.types import (
    Accepted,
    AnswerOut,
    Event,
    EventsQuery,
    ExplainOut,
    ItemBody,
    ItemPage,
    ItemRow,
    ItemsQuery,
    ItemsSimilarQuery,
    MergeBody,
    Merged,
    PageBody,
    PageOut,
    PeopleOut,
    RankBody,
    RankingsQuery,
    RecommendationBody,
    RecommendationsExplainQuery,
    Relation,
    SavedItem,
    ShownExplainOut,
    Tracked,
    UserBody,
    UserOut,
    UserPage,
    UserRow,
    UsersExplainQuery,
    UsersQuery,
    UsersSimilarQuery,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """What is asked. path: as in the OpenAPI document; ids: what stands in its braces, in order;
    repeatable: whether twice is as good as once."""

    method: str
    path: str
    ids: tuple[str, ...] = ()
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    repeatable: bool = True

    @property
    def target(self) -> str:
        """The path with its ids."""
        ids = iter(self.ids)
        return re.sub(r"{\w+}", lambda _: _segment(next(ids)), self.path)


def _segment(id: str) -> str:
    """An id in a path: slashes and dots are its own, not the path's."""
    if not id:
        raise ValueError("expected an id, not an empty string")
    return quote(id, safe="") if id.strip(".") else "%2E" * len(id)


def stamped(event: Event | Tracked) -> Event:
    """The event with an id, so that it can be sent again, and the time of now if it has none."""
    given = {name: value for name, value in event.items() if value is not None}
    made = {"event_id": uuid.uuid4().hex, "occurred_at": datetime.now(UTC).isoformat()}
    return cast(Event, made | given)


def send_events(events: Iterable[Event | Tracked], **query: Unpack[EventsQuery]) -> Call[Accepted]:
    """Send 1 to 10,000 events now; with `wait` they count in the next answer. One without an id or
    a time gets them here. Rows that are not taken are told: their neighbours are."""
    return Call("POST", "/v1/events", query=query, body=[stamped(event) for event in events])


def retract_event(event_type: str, event_id: str) -> Call[None]:
    """Take an event back; sent again it stays away."""
    return Call("DELETE", "/v1/events/{event_type}/{event_id}", (event_type, event_id))


def recommend(**asked: Unpack[RecommendationBody]) -> Call[AnswerOut]:
    """The best items for a person, a session or somebody anonymous. The list is kept."""
    kept = not asked.get("dry_run")
    return Call("POST", "/v1/recommendations", body=asked, repeatable=not kept)


def page(**asked: Unpack[PageBody]) -> Call[PageOut]:
    """Several lists for a person, nothing in two of them. Each is kept."""
    kept = not asked.get("dry_run")
    return Call("POST", "/v1/recommendations:page", body=asked, repeatable=not kept)


def rank(**asked: Unpack[RankBody]) -> Call[AnswerOut]:
    """Your own items, best first."""
    return Call("POST", "/v1/rank", body=asked)


def ranking(name: str, **query: Unpack[RankingsQuery]) -> Call[AnswerOut]:
    """What is trending, popular, latest, or a ranking of the domain's: the same for everybody."""
    return Call("GET", "/v1/rankings/{name}", (name,), query)


def similar_items(id: str, **query: Unpack[ItemsSimilarQuery]) -> Call[AnswerOut]:
    """Items like an item: by behaviour, by text or by knowledge."""
    return Call("GET", "/v1/items/{id}/similar", (id,), query)


def similar_users(id: str, **query: Unpack[UsersSimilarQuery]) -> Call[PeopleOut]:
    """People whose taste is like a person's."""
    return Call("GET", "/v1/users/{id}/similar", (id,), query)


def explain(id: str, **query: Unpack[UsersExplainQuery]) -> Call[ExplainOut]:
    """What carries an item's score for a person, and what would change without some events."""
    return Call("GET", "/v1/users/{id}/explain", (id,), query)


def explain_shown(
    recommendation_id: str, **query: Unpack[RecommendationsExplainQuery]
) -> Call[ShownExplainOut]:
    """The same of an item on a list that was served, and what was said of it then."""
    return Call("GET", "/v1/recommendations/{id}/explain", (recommendation_id,), query)


def list_items(**query: Unpack[ItemsQuery]) -> Call[ItemPage]:
    """Items by id, a page at a time."""
    return Call("GET", "/v1/items", query=query)


def get_item(id: str) -> Call[SavedItem]:
    """An item as it was saved."""
    return Call("GET", "/v1/items/{id}", (id,))


def put_item(id: str, **item: Unpack[ItemBody]) -> Call[None]:
    """Save an item whole: fields that are left out are removed."""
    return Call("PUT", "/v1/items/{id}", (id,), body=item)


def patch_item(id: str, **item: Unpack[ItemBody]) -> Call[None]:
    """Change what is given of an item; a field that is None is removed."""
    return Call("PATCH", "/v1/items/{id}", (id,), body=item)


def delete_item(id: str) -> Call[None]:
    """Remove an item and every event on it."""
    return Call("DELETE", "/v1/items/{id}", (id,))


def put_items(items: Iterable[ItemRow]) -> Call[Accepted]:
    """Save 1 to 1,000 items whole; rows that are not taken are told."""
    return Call("POST", "/v1/items:batch", body=list(items))


def list_users(**query: Unpack[UsersQuery]) -> Call[UserPage]:
    """People by id, a page at a time."""
    return Call("GET", "/v1/users", query=query)


def get_user(id: str) -> Call[UserOut]:
    """A person's fields, and to whom they were joined."""
    return Call("GET", "/v1/users/{id}", (id,))


def put_user(id: str, **user: Unpack[UserBody]) -> Call[None]:
    """Save a person whole: fields that are left out are removed."""
    return Call("PUT", "/v1/users/{id}", (id,), body=user)


def patch_user(id: str, **user: Unpack[UserBody]) -> Call[None]:
    """Change what is given of a person; a field that is None is removed."""
    return Call("PATCH", "/v1/users/{id}", (id,), body=user)


def delete_user(id: str) -> Call[None]:
    """Erase a person and everybody joined to them. This cannot be undone."""
    return Call("DELETE", "/v1/users/{id}", (id,))


def put_users(users: Iterable[UserRow]) -> Call[Accepted]:
    """Save 1 to 1,000 people whole; rows that are not taken are told."""
    return Call("POST", "/v1/users:batch", body=list(users))


def merge_user(target: str, **source: Unpack[MergeBody]) -> Call[Merged]:
    """Join somebody to the target: from the next answer on they are one person."""
    return Call("POST", "/v1/users/{target}:merge", (target,), body=source)


def save_relations(relations: Iterable[Relation]) -> Call[Accepted]:
    """Save 1 to 10,000 relations; rows that are not taken are told."""
    return Call("POST", "/v1/relations", body=list(relations))


def delete_relation(type: str, start: str, end: str) -> Call[None]:
    """Remove one relation; its ends stay."""
    return Call("DELETE", "/v1/relations", query={"type": type, "from": start, "to": end})
