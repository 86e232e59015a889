"""Which of two events of one type and id is the event: the one that was received first.

So the graph is the same in whatever order they are written. One that was received later and was
there already gives up its place: removed and counted as if it were taken back, and handed to the
caller as it came. It knows neither batches nor what becomes of an event that lost its place.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from neo4j import ManagedTransaction, Record

from graphdb.answers.served import forget_outcomes
from graphdb.catalogue.removal import lock_sources
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.events.event_row import EventRow, micros
from graphdb.events.recent import forget_recent

Key = tuple[str, str]
"""Type and id of an event."""

Rank = tuple[int, str]
"""When it was received, in microseconds since 1970, and its digest: the least is the event."""

# Without labels at its ends: the planner of an empty graph would walk from them, and keep the plan.
# One that others delete between being found and being read has no properties: it is not there.
FIND_EVENTS = """
UNWIND $ids AS id
MATCH ()-[r:<type> {event_id: id}]->()
WITH id, r.received_at AS received_at, r.digest AS digest
WHERE received_at IS NOT NULL AND digest IS NOT NULL
RETURN collect([id,
                received_at.epochSeconds * 1000000 + received_at.microsecond,
                digest]) AS found
"""


def find_ranks(tx: ManagedTransaction, domain: Domain, keys: Iterable[Key]) -> dict[Key, Rank]:
    """The ranks of those events that are there."""
    ranks: dict[Key, Rank] = {}
    for event_type, ids in _by_type(keys).items():
        statement = render(FIND_EVENTS, type=domain.events[event_type].relationship)
        for event_id, *rank in tx.run(statement, ids=ids).single(strict=True)["found"]:
            ranks[event_type, event_id] = (rank[0], rank[1])
    return ranks


class OvertakenError(Exception):
    """Events are not there any more as they were judged: they have to be judged again."""


FIND_SOURCES = """
UNWIND $ids AS id
MATCH ()-[r:<type> {event_id: id}]->()
WITH DISTINCT r.source AS source
WHERE source IS NOT NULL
RETURN source
"""

# Sources are locked by now; the properties are read before the relationship goes.
DISPLACE_EVENTS = """
UNWIND $rows AS row
MATCH (u)-[r:<type> {event_id: row.id}]->(i)
WHERE r.source IN $sources AND r.digest = row.digest
  AND r.received_at.epochSeconds * 1000000 + r.received_at.microsecond = row.received_at
MATCH (s:Source {id: r.source})
WITH s, u, r, u.id AS user, i.id AS item, properties(r) AS event
SET s.events = s.events - 1, s.removed = coalesce(s.removed, 0) + 1,
    u.removed = coalesce(u.removed, 0) + 1
DELETE r
RETURN user, item, event
ORDER BY event.event_id
"""


def displace_events(
    tx: ManagedTransaction, domain: Domain, ranks: Mapping[Key, Rank]
) -> list[EventRow]:
    """Remove the events of these ranks; returns those that are somebody's as the rows they came as.

    Raises OvertakenError when one of them is not there, or by now another is in its place.
    """
    rows: list[EventRow] = []
    for event_type, ids in sorted(_by_type(ranks).items()):
        relationship = domain.events[event_type].relationship
        found = tx.run(render(FIND_SOURCES, type=relationship), ids=ids)
        sources = sorted(record["source"] for record in found)
        lock_sources(tx, sources)
        wanted = [
            {"id": id, "received_at": ranks[event_type, id][0], "digest": ranks[event_type, id][1]}
            for id in ids
        ]
        statement = render(DISPLACE_EVENTS, type=relationship)
        gone = list(tx.run(statement, rows=wanted, sources=sources))
        if len(gone) != len(ids):
            raise OvertakenError
        events = [one["event"] for one in gone]
        forget_outcomes(
            tx, relationship, [(e.get("recommendation_id"), e["event_id"]) for e in events]
        )
        for one in gone:
            # Without an id: of a person whose erasure is under way.
            if one["user"] is not None:
                forget_recent(tx, one["user"], one["event"]["source"], one["event"]["seq"])
                rows.append(_row(event_type, one))
    return rows


def _row(event_type: str, found: Record) -> EventRow:
    event: dict[str, Any] = found["event"]

    def time(name: str) -> int:
        moment: datetime = event[name].to_native()
        return micros(moment)

    return {
        "event_id": event["event_id"],
        "event_type": event_type,
        "user_id": found["user"],
        "item_id": found["item"],
        "occurred_at": time("occurred_at" if "occurred_at" in event else "at"),
        "at": time("at"),
        "received_at": time("received_at"),
        "value": event.get("value"),
        "anonymous_id": event.get("anonymous_id"),
        "session_id": event.get("session_id"),
        "properties": event.get("properties"),
        "context": event.get("context"),
        "recommendation_id": event.get("recommendation_id"),
        "position": event.get("position"),
        "impressions": event.get("impressions"),
    }


def _by_type(keys: Iterable[Key]) -> dict[str, list[str]]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for event_type, event_id in sorted(keys):
        by_type[event_type].append(event_id)
    return by_type
