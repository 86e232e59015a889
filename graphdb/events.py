"""Events in: every event one relationship, written once whatever is sent again.

    (:User)-[:RATED {event_id, at, received_at, value, source, seq, digest}]->(:Item)
    (:Source {id, offset, token, events, removed, dropped, fence})

A source is whatever gives its rows sequence numbers: a partition of the stream, a file. `offset` is
the last number that is dealt with, `token` the reader's mark beside it, `events` how many events of
it are there, `removed` how many were and are not any more, `dropped` how many were never taken
because of a tombstone.

A batch is one transaction: it locks its source, skips what is there, creates the rest and moves
the offset with it, so that a snapshot which reads offsets first has a clean cut. Rows are
validated before they come here.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypedDict

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.connection import Graph
from graphdb.domain import Domain, render
from graphdb.errors import LeaseLostError, PathlightError
from graphdb.recent import remember_recent
from graphdb.tombstones import count_tombstones, event_mark, find_tombstones, person_mark

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ATTEMPTS = 5
"""Of one batch: others may create or take back the same events meanwhile."""


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


@dataclass
class EventReport:
    """What became of a batch; `duplicates`, `conflicts` and `dropped` are positions in it.

    A conflict has the type and id of an event that is there with other content; dropped are events
    of people who were erased, and events that were retracted.
    """

    accepted: int = 0
    duplicates: list[int] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Batch:
    domain: Domain
    source: str
    rows: Sequence[EventRow]
    seqs: Sequence[int] | None
    offset: int | None
    token: str | None
    fence: int | None
    recent: bool
    before_commit: Callable[[EventReport], None] | None


class _TakenBackMeanwhileError(Exception):
    """A tombstone was set, or an item deleted, while the batch was being written: it has to be
    judged again."""


def save_events(
    graph: Graph,
    domain: Domain,
    source: str,
    rows: Sequence[EventRow],
    *,
    seqs: Sequence[int] | None = None,
    offset: int | None = None,
    token: str | None = None,
    fence: int | None = None,
    recent: bool = True,
    before_commit: Callable[[EventReport], None] | None = None,
) -> EventReport:
    """Write a batch in one transaction; users and items it names are created if need be.

    seqs: the rows' ascending sequence numbers, without them they follow the source's offset; rows
    at or below the offset were dealt with before and count as duplicates. offset: where the source
    moves to, by default the last row's number; it moves even when there is no row. token: kept
    beside the offset. fence: of the lease under which this is written. recent: whether the people's
    short lists are kept up; a bulk load writes them once at its end (graphdb.recent).
    before_commit: told what will be reported, perhaps more than once; what it raises ends the
    batch, and nothing is written.

    Raises LeaseLostError when the source has another fence by now.
    """
    batch = _Batch(domain, source, rows, seqs, offset, token, fence, recent, before_commit)
    look = False
    for _ in range(ATTEMPTS):
        # Most batches are new, and looking each id up takes as long as creating it: a few are
        # probed, and the constraint says when another was there.
        try:
            return graph.transaction(partial(_save, batch, look))
        except ConstraintError:
            look = True
        except _TakenBackMeanwhileError:
            continue
    raise PathlightError(f"source {source!r}: others kept changing the same events meanwhile")


# The SET takes the lock before the offset is read: isolation is read-committed.
LOCK_SOURCE = """
MERGE (s:Source {id: $source})
ON CREATE SET s.offset = -1, s.events = 0
SET s.locked = true
REMOVE s.locked
RETURN s.offset AS offset, s.fence AS fence
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

MOVE_OFFSET = """
MATCH (s:Source {id: $source})
SET s.offset = CASE WHEN s.offset < $offset THEN $offset ELSE s.offset END,
    s.token = $token,
    s.events = s.events + $created,
    s.dropped = coalesce(s.dropped, 0) + $dropped
"""


def _save(batch: _Batch, look: bool, tx: ManagedTransaction) -> EventReport:
    source = tx.run(LOCK_SOURCE, source=batch.source).single(strict=True)
    if batch.fence is not None and source["fence"] != batch.fence:
        raise LeaseLostError(f"source {batch.source!r} is read by another consumer by now")
    tombstones = count_tombstones(tx)
    seqs = batch.seqs or range(source["offset"] + 1, source["offset"] + 1 + len(batch.rows))
    report = EventReport(duplicates=[n for n, seq in enumerate(seqs) if seq <= source["offset"]])
    ahead = range(len(report.duplicates), len(batch.rows))
    if tombstones:
        report.dropped = _taken_back(tx, batch, ahead)
    fresh = _judge(tx, batch, sorted(set(ahead) - set(report.dropped)), report, look=look)
    report.accepted = len(fresh)
    if fresh:
        _create(tx, batch, fresh, seqs)
    if fresh or batch.seqs is not None or batch.offset is not None:
        # The last row's number; a number that is free already when there is no row to move past.
        last = seqs[-1] if len(seqs) else source["offset"]
        tx.run(
            MOVE_OFFSET,
            source=batch.source,
            offset=last if batch.offset is None else batch.offset,
            token=batch.token,
            created=len(fresh),
            dropped=len(report.dropped),
        ).consume()
    # What is created by now is locked: whoever takes it back from here on waits for this batch.
    if count_tombstones(tx) != tombstones:
        raise _TakenBackMeanwhileError
    if batch.before_commit:
        batch.before_commit(report)
    return report


def _taken_back(tx: ManagedTransaction, batch: _Batch, positions: Sequence[int]) -> list[int]:
    marks = {
        n: {person_mark(row["user_id"]), event_mark(row["event_type"], row["event_id"])}
        for n, row in ((n, batch.rows[n]) for n in positions)
    }
    found = find_tombstones(tx, set().union(*marks.values()))
    return [n for n, mine in marks.items() if mine & found]


def _judge(
    tx: ManagedTransaction,
    batch: _Batch,
    positions: Sequence[int],
    report: EventReport,
    *,
    look: bool,
) -> dict[int, str]:
    """Positions of new rows with their digests; the others are noted in the report."""
    probes = [batch.rows[positions[n]] for n in {0, len(positions) // 2, -1}] if positions else []
    there = {} if look else _digests_there(tx, batch.domain, probes)
    if look or there:
        there = _digests_there(tx, batch.domain, [batch.rows[n] for n in positions])
    fresh = {}
    for n in positions:
        row = batch.rows[n]
        key, digest = (row["event_type"], row["event_id"]), event_digest(row)
        if key not in there:
            there[key] = digest
            fresh[n] = digest
        elif there[key] == digest:
            report.duplicates.append(n)
        else:
            report.conflicts.append(n)
    return fresh


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


def _create(
    tx: ManagedTransaction, batch: _Batch, fresh: dict[int, str], seqs: Sequence[int]
) -> None:
    people = sorted({batch.rows[n]["user_id"] for n in fresh})
    things = sorted({batch.rows[n]["item_id"] for n in fresh})
    tx.run(SAVE_PEOPLE, ids=people).consume()
    tx.run(render(SAVE_THINGS, label=batch.domain.item.label), ids=things).consume()
    events = [
        _event(batch, batch.rows[n], {"source": batch.source, "seq": seqs[n], "digest": digest})
        for n, digest in fresh.items()
    ]
    by_type = defaultdict(list)
    # In the items' order: two batches that share items then take their locks in one order.
    for event in sorted(events, key=lambda e: e["item_id"]):
        by_type[event["type"]].append(event)
    for relationship, rows in sorted(by_type.items()):
        done = tx.run(render(CREATE_EVENTS, type=relationship), rows=rows).consume()
        if done.counters.relationships_created != len(rows):
            raise _TakenBackMeanwhileError
    if batch.recent:
        remember_recent(tx, events)


def event_digest(row: EventRow) -> str:
    """Equal for equal content; the time in it is the sender's, before any clamping."""
    content = [row[name] for name in CONTENT]
    return hashlib.blake2b(json.dumps(content).encode(), digest_size=12).hexdigest()


def _event(batch: _Batch, row: EventRow, place: dict[str, Any]) -> dict[str, Any]:
    event = {name: row[name] for name in KEPT if row[name] is not None}
    if row["at"] != row["occurred_at"]:
        event["clock_skew"] = True
    return {
        "user_id": row["user_id"],
        "item_id": row["item_id"],
        "type": batch.domain.events[row["event_type"]].relationship,
        "at": row["at"],
        "received_at": row["received_at"],
        "event": event | place,
    }


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)
