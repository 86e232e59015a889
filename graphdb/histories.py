"""People's events out of the graph, a page of people at a time, each page proven complete.

Isolation is read-committed: a scan beside writers may miss a row or see it twice. So every person
carries the number of their events, written with them, and whoever's events do not add up, or go
beyond the cut, is read again event by event, at last under a lock. It knows neither files nor what
an event weighs.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.domain import Domain, render
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
# times as long. The event's place (source, seq) costs the server a
# third more, and whether it is needed stands on the person. NaN: no value.
LIST_EVENTS = """
UNWIND $keys AS key
MATCH (u:User {key: key})
CALL (u) {
  MATCH (u)-[r:<types>]->(i)
  WITH i.id AS id, type(r) AS type, r.at AS at, r.value AS value
  RETURN collect(id) AS items, collect(type) AS types,
         collect(at.epochSeconds * 1000000 + at.microsecond) AS times,
         collect(coalesce(value, 0.0 / 0.0)) AS values
}
RETURN collect(key) AS key, collect(coalesce(u.event_count, 0)) AS event_count,
       collect(coalesce(u.removed_count, 0)) AS removed_count,
       collect(coalesce(u.last_seq <= coalesce($cut[u.last_source], -1), false)) AS within,
       collect(items) AS items, collect(types) AS types, collect(times) AS times,
       collect(values) AS values
"""

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
RETURN key, coalesce(u.event_count, 0) AS event_count,
       coalesce(u.removed_count, 0) AS removed_count, items, types, times, values,
       late_sources, late_seqs, total
"""


class HistoryReader:
    """Reads events at or below `cut`, and, if `received_by` is set, received by then."""

    def __init__(
        self, graph: Graph, domain: Domain, cut: Cut, received_by: datetime | None
    ) -> None:
        self.graph, self.cut, self.received_by = graph, cut, received_by
        types = [spec.relationship for spec in domain.events.values()]
        self._whole = render(LIST_EVENTS, types=types)
        self._within = render(LIST_EVENTS_WITHIN, types=types)

    def pages(self, pages: Iterable[list[str]]) -> Iterator[dict[str, dict[str, Any]]]:
        """For each page of keys the people that are there, by key, in the pages' order.

        A person has parallel lists `items`, `types` (relationships), `times` (microseconds) and
        `values` (NaN without one); `event_count` and `removed_count` as they were when it was
        read; where events were left out also `total`, and `late_sources` and `late_seqs` of those
        that had not been received. Raises ExportError where an event lacks what each must have.
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
        if self.received_by is not None:
            people = self._ask(self._within, keys)
        else:
            rows = self.graph.read(self._whole, **self._parameters(keys))
            people = _by_key(transposed(rows[0]))
            doubtful = [key for key, person in people.items() if not _whole(person)]
            people |= self._ask(self._within, doubtful)
        moved = [
            k for k, p in people.items() if p.get("total", p["event_count"]) != p["event_count"]
        ]
        if moved:
            people |= self._ask_locked(moved)
        for person in people.values():
            _check_aligned(person)
        return people

    def _ask(self, statement: LiteralString, keys: list[str]) -> dict[str, dict[str, Any]]:
        return _by_key(self.graph.read(statement, **self._parameters(keys))) if keys else {}

    def _ask_locked(self, keys: list[str]) -> dict[str, dict[str, Any]]:
        return self.graph.transaction(
            lambda tx: read_locked(tx, self._within, self._parameters(keys))
        )

    def _parameters(self, keys: list[str]) -> dict[str, Any]:
        return {"keys": keys, "cut": self.cut.offsets, "received_by": self.received_by}


# Every write of a person's events sets something on the person.
LOCK_PEOPLE = """
UNWIND $keys AS key
MATCH (u:User {key: key})
SET u.locked = true
REMOVE u.locked
"""


def read_locked(
    tx: ManagedTransaction, statement: LiteralString, parameters: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The people of the statement's `keys`, while nobody writes their events."""
    tx.run(LOCK_PEOPLE, keys=parameters["keys"]).consume()
    return _by_key([dict(record) for record in tx.run(statement, parameters)])


def transposed(lists: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Rows of a row of parallel lists."""
    names = list(lists)
    return [dict(zip(names, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def _by_key(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["key"]: row for row in rows}


def _whole(person: dict[str, Any]) -> bool:
    """Whether as many events were read as were counted, and none lies beyond the cut."""
    count = len(person["items"])
    return count == person["event_count"] and (person["within"] or count == 0)


def _check_aligned(person: dict[str, Any]) -> None:
    lengths = {len(person[name]) for name in ("items", "types", "times", "values")}
    if len(lengths) > 1:
        raise ExportError(
            "an event has no time, or an item no id: run pathlight audit, which names them"
        )
