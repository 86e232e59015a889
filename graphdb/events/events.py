"""Events in: every event one relationship, written once whatever is sent again.

    (:User)-[:RATED {event_id, at, received_at, value, source, seq, digest}]->(:Item)
    (:Source {id, name, offset, token, events, removed, dropped, fence})

A source is whatever gives its rows sequence numbers: a partition of the stream, a file. `offset` is
the last number that is dealt with, `token` the reader's mark beside it, `events` how many events of
it are there, `removed` how many were and are not any more, `dropped` how many were never taken
because of a tombstone.

A batch is one transaction: it locks its source, skips what is there, creates the rest and moves
the offset with it, so that a snapshot which reads offsets first has a clean cut. Rows are
validated before they come here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.answers.served import save_outcomes
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.errors import LeaseLostError, PathlightError
from graphdb.events.event_row import EventRow
from graphdb.events.precedence import Key, OvertakenError, Rank, displace_events, find_ranks
from graphdb.events.prepared import PreparedEvents, prepare_events
from graphdb.events.recent import RECENT_LOADS, remember_recent
from graphdb.people.tombstones import count_tombstones, event_mark, find_tombstones, person_mark

ATTEMPTS = 5
"""Of one batch: others may create the same events meanwhile."""


@dataclass
class EventReport:
    """What became of a batch; `duplicates`, `conflicts` and `dropped` are positions in it.

    A conflict has the type and id of an event that is there with other content; dropped are events
    of people who were erased, and events that were retracted. `displaced` are rows that were there
    and have given up their place to other content.
    """

    accepted: int = 0
    duplicates: list[int] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    displaced: list[EventRow] = field(default_factory=list)


@dataclass(frozen=True)
class _Batch:
    domain: Domain
    source: str
    given: PreparedEvents
    seqs: Sequence[int] | None
    offset: int | None
    token: str | None
    fence: int | None
    bulk: bool
    displace: bool
    before_commit: Callable[[EventReport], None] | None

    @property
    def rows(self) -> Sequence[EventRow]:
        return self.given.rows


NAME_SOURCE = """
MERGE (s:Source {id: $source})
ON CREATE SET s.offset = -1, s.events = 0
SET s.name = $name
"""


def name_source(graph: Graph, source: str, name: str) -> None:
    """Say what a source is for whoever reads the graph. Its id stands on every event and is kept
    short: up to some 25 characters are stored in place."""
    graph.write(NAME_SOURCE, source=source, name=name)


class _TakenBackMeanwhileError(Exception):
    """Somebody or something of the batch was taken back, or an item deleted, while it was being
    written: it has to be judged again."""


def save_events(
    graph: Graph,
    domain: Domain,
    source: str,
    rows: Sequence[EventRow] | PreparedEvents,
    *,
    seqs: Sequence[int] | None = None,
    offset: int | None = None,
    token: str | None = None,
    fence: int | None = None,
    bulk: bool = False,
    displace: bool = False,
    before_commit: Callable[[EventReport], None] | None = None,
) -> EventReport:
    """Write a batch in one transaction; users and items it names are created if need be.

    seqs: the rows' ascending sequence numbers, without them they follow the source's offset; rows
    at or below the offset were dealt with before and count as duplicates. offset: where the source
    moves to, by default the last row's number; it moves even when there is no row. token: kept
    beside the offset. fence: of the lease under which this is written. bulk: the source is noted on
    people instead of their short lists being kept up (graphdb.events.recent). displace: of one type
    and id the row that was received first is the event, whichever is written first
    (graphdb.events.precedence); otherwise the one that is there stays.
    before_commit: told what will be reported, perhaps more than once; what it raises ends the
    batch, and nothing is written.

    Raises LeaseLostError when the source has another fence by now.
    """
    given = rows if isinstance(rows, PreparedEvents) else prepare_events(domain, rows)
    how = (seqs, offset, token, fence, bulk, displace, before_commit)
    batch = _Batch(domain, source, given, *how)
    attempts = 0
    while attempts < ATTEMPTS:
        # Most batches are new, and looking each id up takes as long as creating it: a few are
        # probed, and the constraint says when another was there.
        try:
            return graph.transaction(partial(_save, batch, attempts > 0))
        except ConstraintError:
            attempts += 1
        except (_TakenBackMeanwhileError, OvertakenError):
            continue  # the next time what was taken back is dropped: this ends
    raise PathlightError(f"source {source!r}: others kept creating the same events meanwhile")


# The SET takes the lock before the offset is read: isolation is read-committed.
LOCK_SOURCE = """
MERGE (s:Source {id: $source})
ON CREATE SET s.offset = -1, s.events = 0
SET s.locked = true
REMOVE s.locked
RETURN s.offset AS offset, s.fence AS fence
"""

SAVE_PEOPLE = """
UNWIND $ids AS id
MERGE (u:User {id: id})
ON CREATE SET u.key = randomUUID(), u.created_at = datetime()
"""

# MERGE alone does not lock: two loads at once would lose the mark of one.
SAVE_LOADED = """
UNWIND $ids AS id
MERGE (u:User {id: id})
ON CREATE SET u.key = randomUUID(), u.created_at = datetime()
WITH u
WHERE NOT $source IN coalesce(u.recent_loads, [])
SET u.lock = true
REMOVE u.lock
WITH u
SET u.recent_loads = (coalesce(u.recent_loads, []) + $source)[-$loads..]
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
    r.at = datetime.fromEpoch(row.at / 1000000, row.at % 1000000 * 1000),
    r.received_at = datetime.fromEpoch(
      row.received_at / 1000000, row.received_at % 1000000 * 1000)
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
    taken_back = _taken_back(tx, batch, ahead) if tombstones else ([], set())
    report.dropped, erased = taken_back
    fresh = _judge(tx, batch, sorted(set(ahead) - set(report.dropped)), report, look=look)
    report.accepted = len(fresh)
    _create_nodes(tx, batch, [*fresh, *report.dropped, *_told_by(batch, report)], erased)
    if fresh:
        _create_events(tx, batch, fresh, seqs)
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
    if count_tombstones(tx) != tombstones and _taken_back(tx, batch, ahead) != taken_back:
        raise _TakenBackMeanwhileError
    if batch.before_commit:
        batch.before_commit(report)
    return report


def _told_by(batch: _Batch, report: EventReport) -> list[int]:
    """Conflicts that name people and items none the less: if they had been written first, theirs
    would be there."""
    return report.conflicts if batch.displace else []


def _taken_back(
    tx: ManagedTransaction, batch: _Batch, positions: Sequence[int]
) -> tuple[list[int], set[str]]:
    """Positions of what was taken back, and who of its people was erased."""
    people = {person_mark(batch.rows[n]["user_id"]): batch.rows[n]["user_id"] for n in positions}
    events = {n: event_mark(*batch.given.keys[n]) for n in positions}
    found = find_tombstones(tx, {*people, *events.values()})
    erased = {people[mark] for mark in found & people.keys()}
    dropped = [n for n in positions if events[n] in found or batch.rows[n]["user_id"] in erased]
    return dropped, erased


def _judge(
    tx: ManagedTransaction,
    batch: _Batch,
    positions: Sequence[int],
    report: EventReport,
    *,
    look: bool,
) -> list[int]:
    """Positions of new rows; the others are noted in the report."""
    probes = [positions[n] for n in {0, len(positions) // 2, -1}] if positions else []
    there = {} if look else _find(tx, batch, probes)
    if look or there:
        there = _find(tx, batch, positions)
    keys, ranks = batch.given.keys, batch.given.ranks
    fresh: list[int] = []
    displaced: dict[Key, Rank] = {}
    for n in sorted(positions, key=ranks.__getitem__) if batch.displace else positions:
        key, rank = keys[n], ranks[n]
        before = there.get(key)
        if before is None or (batch.displace and rank < before):
            there[key] = rank
            fresh.append(n)
            if before is not None:
                displaced[key] = before
        elif rank[1] == before[1]:
            report.duplicates.append(n)
        else:
            report.conflicts.append(n)
    for row in displace_events(tx, batch.domain, displaced):
        key = (row["event_type"], row["event_id"])
        if displaced[key][1] != there[key][1]:
            report.displaced.append(row)
    report.duplicates.sort()
    report.conflicts.sort()
    return sorted(fresh)


def _find(tx: ManagedTransaction, batch: _Batch, positions: Iterable[int]) -> dict[Key, Rank]:
    return find_ranks(tx, batch.domain, [batch.given.keys[n] for n in positions])


def _create_nodes(
    tx: ManagedTransaction, batch: _Batch, positions: Iterable[int], erased: set[str]
) -> None:
    """The people and items that rows name, also those of rows that are dropped: if such an event
    is taken back once it is there, they stay."""
    rows = [batch.rows[n] for n in positions]
    if not rows:
        return
    people = sorted({row["user_id"] for row in rows} - erased)
    things = sorted({row["item_id"] for row in rows})
    if batch.bulk:
        tx.run(SAVE_LOADED, ids=people, source=batch.source, loads=RECENT_LOADS).consume()
    else:
        tx.run(SAVE_PEOPLE, ids=people).consume()
    tx.run(render(SAVE_THINGS, label=batch.domain.item.label), ids=things).consume()


def _create_events(
    tx: ManagedTransaction, batch: _Batch, fresh: Sequence[int], seqs: Sequence[int]
) -> None:
    events = [batch.given.events[n] for n in fresh]
    for n, event in zip(fresh, events, strict=True):
        event["event"] |= {"source": batch.source, "seq": seqs[n]}
    by_type = defaultdict(list)
    # In the items' order: two batches that share items then take their locks in one order.
    for event in sorted(events, key=lambda e: e["item_id"]):
        by_type[event["type"]].append(event)
    for relationship, rows in sorted(by_type.items()):
        done = tx.run(render(CREATE_EVENTS, type=relationship), rows=rows).consume()
        if done.counters.relationships_created != len(rows):
            raise _TakenBackMeanwhileError
    save_outcomes(tx, events)
    if not batch.bulk:
        remember_recent(tx, events)
