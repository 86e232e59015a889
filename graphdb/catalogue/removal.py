"""Nodes taken out of the graph with all their relationships, however many, in bounded transactions.

Each transaction subtracts the events that it removes from their sources' counts, so that an export
adds up at any moment, and a removal that was cut short is finished by beginning it again. Sources
are locked first, in the order of their ids, as every batch of events locks its own.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.connection import Graph
from graphdb.cypher import render

PAGE = 1000
"""Relationships removed by one transaction."""

# Rows come in the order of the sources: so the locks are taken.
LOCK_SOURCES = """
UNWIND $sources AS id
MATCH (s:Source {id: id})
SET s.locked = true
REMOVE s.locked
"""


def lock_sources(tx: ManagedTransaction, sources: Sequence[str]) -> None:
    """Hold sources, in this order, until the transaction ends."""
    tx.run(LOCK_SOURCES, sources=sources).consume()


LIST_SOURCES = """
MATCH (n:<label> {<identity>: $value})-[r]-()
WHERE type(r) <> 'ERASES'
WITH r LIMIT $page
WITH DISTINCT CASE WHEN r.event_id IS NOT NULL THEN r.source END AS source
RETURN source ORDER BY source
"""

REMOVE_PAGE = """
MATCH (n:<label> {<identity>: $value})-[r]-(other)
WHERE type(r) <> 'ERASES' AND (r.event_id IS NULL OR r.source IN $sources)
WITH r, other LIMIT $page
WITH r, other, CASE WHEN r.event_id IS NOT NULL THEN r.source END AS source
DELETE r
WITH source, other, count(*) AS removed
RETURN source, sum(removed) AS removed,
       collect(CASE WHEN other:User THEN [other.key, removed] END) AS people
"""

SUBTRACT_EVENTS = """
UNWIND $rows AS row
MATCH (s:Source {id: row.source})
SET s.events = s.events - row.removed, s.removed = coalesce(s.removed, 0) + row.removed
"""

# The first SET takes the lock before the lists are read; each person stands in one row.
FORGET_ITEM = """
UNWIND $people AS row
MATCH (u:User {key: row[0]})
SET u.removed = coalesce(u.removed, 0) + row[1]
WITH u
WHERE $item IN u.recent_items
WITH u, [n IN range(0, size(u.recent_items) - 1) WHERE u.recent_items[n] <> $item] AS kept
SET u.recent_items = [n IN kept | u.recent_items[n]],
    u.recent_events = [n IN kept | u.recent_events[n]]
"""


def remove_relationships(
    graph: Graph, label: str, identity: str, value: str, *, page: int = PAGE
) -> None:
    """Remove all relationships of the node of this label whose property `identity` is `value`."""
    names = {"label": label, "identity": identity}

    def work(tx: ManagedTransaction) -> bool:
        parameters: dict[str, Any] = {"value": value, "page": page}
        listed = tx.run(render(LIST_SOURCES, **names), parameters)
        sources = [record["source"] for record in listed]
        if not sources:
            return False
        known = [source for source in sources if source is not None]
        lock_sources(tx, known)
        statement = render(REMOVE_PAGE, **names)
        rows = [dict(record) for record in tx.run(statement, parameters, sources=known)]
        events = [row for row in rows if row["source"] is not None]
        tx.run(SUBTRACT_EVENTS, rows=events).consume()
        if label == "Item":
            people = Counter()
            for key, removed in (person for row in events for person in row["people"]):
                people[key] += removed
            tx.run(FORGET_ITEM, people=sorted(people.items()), item=value).consume()
        return True

    while graph.transaction(work):
        pass


WITHHOLD_ITEM = """
MATCH (i:Item {id: $id})
SET i.hidden = true
RETURN i.id AS id
"""

# The SET takes the lock before the relationships are looked for; an event that came meanwhile has
# another page removed.
DELETE_ITEM = """
MATCH (i:Item {id: $id})
SET i.locked = true
REMOVE i.locked
WITH i
WHERE NOT EXISTS { (i)--() }
DELETE i
MERGE (s:Serving {id: 'serving'})
SET s.deleted = coalesce(s.deleted, 0) + 1
"""


def delete_item(graph: Graph, item_id: str) -> bool:
    """Remove an item and every event on it; whether it was there.

    From the first moment it is in no answer. A later event on its id creates it again, bare.
    """
    found = bool(graph.write(WITHHOLD_ITEM, id=item_id))
    there = found
    while there:
        remove_relationships(graph, "Item", "id", item_id)
        with suppress(ConstraintError):  # an event came between the look and the deletion
            graph.write(DELETE_ITEM, id=item_id)
        there = bool(graph.write(WITHHOLD_ITEM, id=item_id))
    return found
