"""People's events out of the graph, a page of people at a time, each page proven complete.

Isolation is read-committed: a scan beside writers may miss a row or see it twice. So what is read
of a person must be as many events as the server counts on them, and whoever's are not is read again
under a lock. It knows neither files nor what an event weighs.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.errors import PathlightError

READERS = 2
"""Pages read ahead of the one that is being converted."""

PAGE_EVENTS = 20_000
PAGE_PEOPLE = 2_000
"""A page ends at so many events or people: memory is bounded by it and the longest history."""


class ExportError(PathlightError):
    """What was exported does not add up to what the graph had counted."""


@dataclass(frozen=True)
class Cut:
    """What the sources had committed at one moment.

    offsets: the last sequence number of each; events: how many events of all there were;
    removed: how many of each had been taken back by then, which never falls.
    """

    offsets: dict[str, int]
    events: int
    removed: dict[str, int]


# The SET waits for whoever is writing from that source; all are held before the first is read, so
# that a person's last event tells whether any of theirs came later.
LOCK_CUT = """
MATCH (s:Source)
WITH s ORDER BY s.id
SET s.locked = true
REMOVE s.locked
WITH collect(s) AS sources
UNWIND sources AS s
RETURN s.id AS source, s.offset AS offset, s.events AS events,
       coalesce(s.removed, 0) AS removed
"""


def lock_cut(graph: Graph) -> Cut:
    """What is committed now, read between two batches of every source."""
    return graph.transaction(hold_cut)


def hold_cut(tx: ManagedTransaction) -> Cut:
    """The same inside a transaction: no source is written to until it ends."""
    rows = [dict(record) for record in tx.run(LOCK_CUT)]
    return Cut(
        {row["source"]: row["offset"] for row in rows},
        sum(row["events"] for row in rows),
        {row["source"]: row["removed"] for row in rows},
    )


# A row a page of parallel lists: a row a person, or a list an event, takes the driver several
# times as long. NaN: no value.
LIST_EVENTS = """
UNWIND $keys AS key
MATCH (u:User {key: key})
CALL (u) {
  MATCH (u)-[r:<types>]->(i)
  WITH i.id AS id, type(r) AS type, r.at AS at, r.value AS value
  RETURN collect(id) AS items, collect(type) AS types,
         collect(at.epochSeconds * 1000000 + at.microsecond) AS times,
         collect(coalesce(value, 0.0 / 0.0)) AS values, count(*) AS total
}
RETURN collect(key) AS key, collect(COUNT { (u)-[:<types>]->() }) AS event_count,
       collect(coalesce(u.removed, 0)) AS removed_count, collect(total) AS total,
       collect(items) AS items, collect(types) AS types, collect(times) AS times,
       collect(values) AS values
"""

# Its place (source, seq) costs the server a third more an event.
LIST_EVENTS_WITHIN = """
UNWIND $keys AS key
MATCH (u:User {key: key})
CALL (u) {
  MATCH (u)-[r:<types>]->(i)
  WITH i.id AS id, type(r) AS type, r.at AS at, r.value AS value, r.source AS source, r.seq AS seq,
       r.seq <= coalesce($cut[r.source], -1) AS within,
       $received_by IS NULL OR r.received_at <= $received_by AS received
  WITH *, within AND received AS inside, within AND NOT received AS late
  RETURN collect(CASE WHEN inside THEN id END) AS items,
         collect(CASE WHEN inside THEN type END) AS types,
         collect(CASE WHEN inside THEN at.epochSeconds * 1000000 + at.microsecond END) AS times,
         collect(CASE WHEN inside THEN coalesce(value, 0.0 / 0.0) END) AS values,
         collect(CASE WHEN late THEN source END) AS late_sources,
         collect(CASE WHEN late THEN seq END) AS late_seqs,
         count(*) AS total
}
RETURN collect(key) AS key, collect(COUNT { (u)-[:<types>]->() }) AS event_count,
       collect(coalesce(u.removed, 0)) AS removed_count, collect(total) AS total,
       collect(items) AS items, collect(types) AS types, collect(times) AS times,
       collect(values) AS values, collect(late_sources) AS late_sources,
       collect(late_seqs) AS late_seqs
"""


class HistoryReader:
    """Reads all events that are there, or, with `cut`, those at or below it and, if `received_by`
    is set, received by then."""

    def __init__(
        self,
        graph: Graph,
        domain: Domain,
        cut: Cut | None = None,
        received_by: datetime | None = None,
    ) -> None:
        self.graph = graph
        types = [spec.relationship for spec in domain.events.values()]
        self._statement = render(LIST_EVENTS_WITHIN if cut else LIST_EVENTS, types=types)
        self._parameters = {"cut": cut.offsets, "received_by": received_by} if cut else {}

    def pages(self, pages: Iterable[list[str]]) -> Iterator[dict[str, dict[str, Any]]]:
        """For each page of keys the people that are there, by key, in the pages' order.

        A person has parallel lists `items`, `types` (relationships), `times` (microseconds) and
        `values` (NaN without one); `event_count`, of all their events, and `removed_count`; with a
        cut also `late_sources` and `late_seqs` of the events at or below it that had not been
        received. Raises ExportError where an event lacks what each must have.
        """
        with ThreadPoolExecutor(READERS, thread_name_prefix="histories") as pool:
            waiting: deque[Future[dict[str, dict[str, Any]]]] = deque()
            for keys in pages:
                waiting.append(pool.submit(self._page, keys))
                if len(waiting) > READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _page(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        if not keys:
            return {}
        people = _by_key(self.graph.read(self._statement, keys=keys, **self._parameters))
        moved = [key for key, person in people.items() if person["total"] != person["event_count"]]
        if moved:
            people |= self.graph.transaction(
                lambda tx: read_locked(tx, self._statement, moved, self._parameters)
            )
        for person in people.values():
            _check_aligned(person)
        return people


# Whoever adds an event to a person, or takes one back, locks the person for it.
LOCK_PEOPLE = """
UNWIND $keys AS key
MATCH (u:User {key: key})
SET u.locked = true
REMOVE u.locked
"""


def read_locked(
    tx: ManagedTransaction, statement: LiteralString, keys: list[str], parameters: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The people of these keys, while nobody writes their events."""
    tx.run(LOCK_PEOPLE, keys=keys).consume()
    return _by_key([dict(record) for record in tx.run(statement, parameters, keys=keys)])


def transposed(lists: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows of a row of parallel lists."""
    names = list(lists)
    return [dict(zip(names, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {person["key"]: person for person in transposed(rows[0])}


def _check_aligned(person: dict[str, Any]) -> None:
    lengths = {len(person[name]) for name in ("items", "types", "times", "values")}
    if len(lengths) > 1:
        raise ExportError(
            "an event has no time, or an item no id: run pathlight audit, which names them"
        )
