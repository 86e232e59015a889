"""The short list of a person's last events that stands on the user, so that an answer need not
expand a heavy user's whole history.

    (:User {recent_items: ["item"], recent_events: ["RATED 4.5 1767268800000000 stream:1:3 57"],
            recent_loads: ["import:…"]})

Two parallel lists in order of arrival, newest last; an event is its type, value (`-` without one),
time in microseconds since 1970, source and number there. They are texts because a list more to
write costs as much as half the event. Events of a bulk load are not in them, as writing the lists
takes longer than the events: `recent_loads` are the last sources that gave the person such events,
and an answer expands the history while one of them goes beyond its version. It knows nothing of
duplicates or offsets.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from neo4j import ManagedTransaction

RECENT = 50
"""Events kept on the user: an answer expands a history only if more are newer than its version."""

REMEMBER_RECENT = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
SET u.recent_items = (coalesce(u.recent_items, []) + row.items)[-$keep..],
    u.recent_events = (coalesce(u.recent_events, []) + row.events)[-$keep..]
"""


def remember_recent(tx: ManagedTransaction, events: Iterable[dict[str, Any]]) -> None:
    """Append events `{"user_id", "item_id", "type", "at", "event": properties}`, in their order."""
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        by_user[event["user_id"]].append(event)
    rows = [
        {
            "user_id": user_id,
            "items": [e["item_id"] for e in mine[-RECENT:]],
            "events": [_text(e) for e in mine[-RECENT:]],
        }
        for user_id, mine in sorted(by_user.items())
    ]
    tx.run(REMEMBER_RECENT, rows=rows, keep=RECENT).consume()


def _text(event: dict[str, Any]) -> str:
    properties = event["event"]
    value = properties.get("value")
    words = (event["type"], "-" if value is None else repr(float(value)), event["at"])
    return " ".join(map(str, (*words, properties["source"], properties["seq"])))


RECENT_LOADS = 5
"""Sources of bulk loads kept on the user, the last ones."""


FORGET_RECENT = """
MATCH (u:User {id: $user})
WITH u, [n IN range(0, size(coalesce(u.recent_events, [])) - 1)
         WHERE NOT u.recent_events[n] ENDS WITH $place] AS kept
SET u.recent_items = [n IN kept | u.recent_items[n]],
    u.recent_events = [n IN kept | u.recent_events[n]]
"""


def forget_recent(tx: ManagedTransaction, user_id: str, source: str, seq: int) -> None:
    """Take the event of this source and number out of the person's lists."""
    tx.run(FORGET_RECENT, user=user_id, place=f" {source} {seq}").consume()
