"""Columns of checked values as rows of events, with ids for those that have none.

The order of the parts is fixed: an id that is derived depends on it. It knows no file.
"""

import hashlib
from typing import Any

from graphdb.events.event_row import EventRow
from ingest.event import json_text
from ingest.tables.occurrences import Occurrences

WHO_WHAT_WHEN = ("event_type", "user_id", "item_id", "occurred_at")
OPTIONAL = (
    "event_id",
    "value",
    "session_id",
    "properties",
    "context",
    "recommendation_id",
    "position",
    "anonymous_id",
    "impressions",
)


def event_rows(
    parts: dict[str, list[Any]], at: list[int], received: int, occurrences: Occurrences
) -> list[EventRow]:
    """Rows for graphdb.events.events out of columns of equal length; `at` are the times to store.

    A row without an id gets one of its content and of how often that stood there before.
    """
    ids = _ids(parts, occurrences)
    names = (*WHO_WHAT_WHEN, *OPTIONAL[1:])
    return [
        {
            "event_id": event_id,
            "event_type": event_type,
            "user_id": user_id,
            "item_id": item_id,
            "occurred_at": occurred_at,
            "at": when,
            "received_at": received,
            "value": value,
            "anonymous_id": anonymous_id,
            "session_id": session_id,
            "properties": properties,
            "context": context,
            "recommendation_id": recommendation_id,
            "position": position,
            "impressions": impressions,
        }
        for (
            event_id,
            when,
            event_type,
            user_id,
            item_id,
            occurred_at,
            value,
            session_id,
            properties,
            context,
            recommendation_id,
            position,
            anonymous_id,
            impressions,
        ) in zip(ids, at, *(parts[name] for name in names), strict=True)
    ]


def _ids(parts: dict[str, list[Any]], occurrences: Occurrences) -> list[str]:
    """Given ids, and where there is none one of the row's content and occurrence."""
    given = parts["event_id"]
    if None not in given:
        return given
    content = (parts[name] for name in (*WHO_WHAT_WHEN, *OPTIONAL[1:]))
    digests = [
        hashlib.blake2b(repr(row).encode(), digest_size=16).digest()
        for row in zip(*content, strict=True)
    ]
    again = occurrences.numbers(digests)
    derived = [digest.hex() for digest in digests]
    for position, number in again.items():
        derived[position] += f"-{number}"
    return [id or derived[n] for n, id in enumerate(given)]


def properties_of(columns: dict[str, list[Any]], position: int) -> str | None:
    """The JSON text of the properties that one row has."""
    found = {name: values[position] for name, values in columns.items()}
    kept = {name: value for name, value in found.items() if value is not None}
    return json_text(kept) if kept else None
