"""One validated event as it goes into the graph, and what makes two of them the same.

It knows neither where rows come from nor how they are written.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TypedDict

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EventRow(TypedDict):
    """One validated event; times are whole microseconds since 1970.

    `occurred_at` is the sender's time, `at` the same or, from a clock that is ahead, the time of
    receipt. `user_id` is that of the person whose event it is; `anonymous_id` stands beside it when
    the sender gave both. `properties` and `context` are JSON text; `impressions` are the ids of the
    items that were shown.
    """

    event_id: str
    event_type: str
    user_id: str
    item_id: str
    occurred_at: int
    at: int
    received_at: int
    value: float | None
    anonymous_id: str | None
    session_id: str | None
    properties: str | None
    context: str | None
    recommendation_id: str | None
    position: int | None
    impressions: list[str] | None


CONTENT = (
    *("user_id", "item_id", "occurred_at", "value", "anonymous_id", "session_id", "properties"),
    *("context", "recommendation_id", "position", "impressions"),
)
"""What makes two events of one id the same event, or a conflict."""

KEPT = (
    *("event_id", "value", "anonymous_id", "session_id", "properties", "context"),
    *("recommendation_id", "position", "impressions"),
)
"""What stands on the relationship as it came."""


def event_digest(row: EventRow) -> str:
    """Equal for equal content; the time in it is the sender's, before any clamping."""
    content = [row[name] for name in CONTENT]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)
