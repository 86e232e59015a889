"""Events in: every event one relationship, written once whatever is sent again.

    (:User)-[:RATED {event_id, at, received_at, value, source, seq, digest}]->(:Item)
    (:Source {id, offset, events})    the last sequence number of a source, and how many events

A batch is one transaction: it locks its source, skips what is there, creates the rest and moves
the offset with it, so that a snapshot which reads offsets first has a clean cut. Rows are
validated before they come here.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.connection import Graph
from graphdb.domain import Domain, render

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

RECENT = 50
"""Events kept on the user: an answer expands a history only if more are newer than its version."""


class EventRow(TypedDict):
    """One validated event.

    `occurred_at` is the sender's time, `at` the same or, from a clock that is ahead, the time of
    receipt. `properties` and `context` are JSON text.
    """

    event_id: str
    event_type: str
    user_id: str
    item_id: str
    occurred_at: datetime
    at: datetime
    received_at: datetime
    value: float | None
    session_id: str | None
    properties: str | None
    context: str | None
    recommendation_id: str | None
    position: int | None


@dataclass
class EventReport:
    """What became of a batch; `duplicates` and `conflicts` are positions in it.

    A conflict has the type and id of an event that is there with other content.
    """

    accepted: int = 0
    duplicates: list[int] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)


def save_events(
    graph: Graph,
    domain: Domain,
    source: str,
    rows: Sequence[EventRow],
    *,
    first_seq: int | None = None,
) -> EventReport:
    """Write a batch in one transaction; users and items it names are created if need be.

    Without `first_seq` the rows follow the source's offset; with it row n has seq first_seq + n.
    """
    # Most batches are new, and looking each id up takes as long as creating it: the constraint
    # says when one was there, and then they are looked up.
    try:
        return graph.transaction(lambda tx: _save(tx, domain, source, rows, first_seq))
    except ConstraintError:
        return graph.transaction(lambda tx: _save(tx, domain, source, rows, first_seq, look=True))


# The SET takes the lock before the offset is read: isolation is read-committed.
LOCK_SOURCE = """
MERGE (s:Source {id: $source})
ON CREATE SET s.offset = -1, s.events = 0
SET s.locked = true
REMOVE s.locked
RETURN s.offset AS offset
"""

# Without labels at its ends: the planner of an empty graph would walk from them, and keep the plan.
FIND_EVENTS = """
UNWIND $ids AS id
MATCH ()-[r:<type> {event_id: id}]->()
RETURN collect([r.event_id, r.digest]) AS found
"""

SAVE_PEOPLE = """
UNWIND $ids AS id
MERGE (u:User {id: id})
ON CREATE SET u.key = randomUUID(), u.created_at = datetime()
"""

SAVE_THINGS = """
UNWIND $ids AS id
MERGE (i:Item {id: id})
ON CREATE SET i:<label>, i.created_at = datetime()
"""

# Times travel as whole microseconds: the driver takes a tenth of a millisecond to pack a datetime.
CREATE_EVENTS = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
MATCH (i:Item {id: row.item_id})
CREATE (u)-[r:<type>]->(i)
SET r = row.event,
    r.at = datetime({
      epochSeconds: row.at / 1000000, nanosecond: row.at % 1000000 * 1000}),
    r.received_at = datetime({
      epochSeconds: row.received_at / 1000000, nanosecond: row.received_at % 1000000 * 1000})
"""

# Parallel lists, newest last; times in microseconds since 1970; NaN stands for "no value", which a
# list cannot hold as null.
REMEMBER_RECENT = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
SET u.recent_items = (coalesce(u.recent_items, []) + row.items)[-$keep..],
    u.recent_types = (coalesce(u.recent_types, []) + row.types)[-$keep..],
    u.recent_values = (coalesce(u.recent_values, []) + row.values)[-$keep..],
    u.recent_at = (coalesce(u.recent_at, []) + row.at)[-$keep..],
    u.recent_sources = (coalesce(u.recent_sources, []) + row.sources)[-$keep..],
    u.recent_seqs = (coalesce(u.recent_seqs, []) + row.seqs)[-$keep..]
"""

MOVE_OFFSET = """
MATCH (s:Source {id: $source})
SET s.offset = CASE WHEN s.offset < $offset THEN $offset ELSE s.offset END,
    s.events = s.events + $created
"""


def _save(
    tx: ManagedTransaction,
    domain: Domain,
    source: str,
    rows: Sequence[EventRow],
    first_seq: int | None,
    *,
    look: bool = False,
) -> EventReport:
    next_seq = tx.run(LOCK_SOURCE, source=source).single(strict=True)["offset"] + 1
    start = next_seq if first_seq is None else first_seq
    report = EventReport()
    there = _digests_there(tx, domain, rows) if look or start < next_seq else {}
    fresh = _judge(rows, there, report)
    if not fresh and first_seq is None:
        return report
    tx.run(SAVE_PEOPLE, ids=sorted({rows[n]["user_id"] for n in fresh})).consume()
    things = sorted({rows[n]["item_id"] for n in fresh})
    tx.run(render(SAVE_THINGS, label=domain.item.label), ids=things).consume()
    events = [
        _event(rows[n], domain, {"source": source, "seq": start + n, "digest": digest})
        for n, digest in fresh.items()
    ]
    by_type = defaultdict(list)
    for event in sorted(events, key=lambda e: (e["user_id"], e["event"]["seq"])):
        by_type[event["type"]].append(event)
    for relationship, batch in by_type.items():
        tx.run(render(CREATE_EVENTS, type=relationship), rows=batch).consume()
    tx.run(REMEMBER_RECENT, rows=_recent(events), keep=RECENT).consume()
    offset = start + len(rows) - 1
    tx.run(MOVE_OFFSET, source=source, offset=offset, created=len(fresh)).consume()
    report.accepted = len(fresh)
    return report


def _digests_there(
    tx: ManagedTransaction, domain: Domain, rows: Sequence[EventRow]
) -> dict[tuple[str, str], str]:
    ids = defaultdict(list)
    for row in rows:
        ids[row["event_type"]].append(row["event_id"])
    there = {}
    for event_type, event_ids in ids.items():
        relationship = domain.events[event_type].relationship
        found = tx.run(render(FIND_EVENTS, type=relationship), ids=event_ids).single(strict=True)
        there |= {(event_type, event_id): digest for event_id, digest in found["found"]}
    return there


def _judge(
    rows: Sequence[EventRow], there: dict[tuple[str, str], str], report: EventReport
) -> dict[int, str]:
    """Positions of new rows with their digests; the others are noted in the report."""
    fresh = {}
    for n, row in enumerate(rows):
        key, digest = (row["event_type"], row["event_id"]), event_digest(row)
        if key not in there:
            there[key] = digest
            fresh[n] = digest
        elif there[key] == digest:
            report.duplicates.append(n)
        else:
            report.conflicts.append(n)
    return fresh


def event_digest(row: EventRow) -> str:
    """Equal for equal content; the time in it is the sender's, before any clamping."""
    content = [
        row["user_id"],
        row["item_id"],
        micros(row["occurred_at"]),
        row["value"],
        row["session_id"],
        row["properties"],
        row["context"],
    ]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()


def _event(row: EventRow, domain: Domain, place: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "event_id",
        "value",
        "session_id",
        "properties",
        "context",
        "recommendation_id",
        "position",
    )
    event = {name: row[name] for name in kept if row[name] is not None}
    if row["at"] != row["occurred_at"]:
        event["clock_skew"] = True
    return {
        "user_id": row["user_id"],
        "item_id": row["item_id"],
        "type": domain.events[row["event_type"]].relationship,
        "at": micros(row["at"]),
        "received_at": micros(row["received_at"]),
        "event": event | place,
    }


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _recent(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        by_user[event["user_id"]].append(event)
    return [
        {
            "user_id": user_id,
            "items": [e["item_id"] for e in kept],
            "types": [e["type"] for e in kept],
            "values": [float(e["event"].get("value", "nan")) for e in kept],
            "at": [e["at"] for e in kept],
            "sources": [e["event"]["source"] for e in kept],
            "seqs": [e["event"]["seq"] for e in kept],
        }
        for user_id, mine in sorted(by_user.items())
        for kept in [mine[-RECENT:]]
    ]
