"""Rows for tests: valid unless a test says otherwise."""

from datetime import UTC, datetime, timedelta
from typing import Any

from graphdb.events.event_row import EventRow, micros

TIMES = ("occurred_at", "at", "received_at")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def event_row(user: str, item: str, minutes: float = 0, **given: Any) -> EventRow:
    """A `rated` event, some minutes after noon; its id follows from who and what. Times are given
    as datetimes."""
    row: dict[str, Any] = {
        "event_id": f"{user}-{item}",
        "event_type": "rated",
        "user_id": user,
        "item_id": item,
        "occurred_at": NOON + timedelta(minutes=minutes),
        "at": NOON + timedelta(minutes=minutes),
        "received_at": NOON + timedelta(days=1),
        "value": None,
        "anonymous_id": None,
        "session_id": None,
        "properties": None,
        "context": None,
        "recommendation_id": None,
        "position": None,
        "impressions": None,
    }
    row |= given
    return EventRow(**row | {name: micros(row[name]) for name in TIMES})


def item_row(id: str, hidden: bool = False, **fields: Any) -> dict[str, Any]:
    """An item with the given fields."""
    return {"id": id, "fields": fields, "hidden": hidden}
