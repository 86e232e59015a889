"""Served lists: what was shown to whom, and what they made of it.

    (:User)-[:OUTCOME {type, event, item, rank, at}]->(:ServedList {id, at, items, …})
    (:ServedList)-[:SHOWN_TO]->(:User)

A list is one node with parallel arrays. An outcome is an event that brings the list's id and one of
its items: written, taken back and displaced in the transaction of its event. Lists are kept for a
time; the events stay. Showing never creates a person. It knows neither how a list is made nor where
it waits to be written.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.people.erasure import with_erased

PAGE = 1000
"""Lists removed by one transaction."""


class ServedRow(TypedDict):
    """One list. user_id: empty for a session's; at: in microseconds since 1970; context: JSON text;
    items, scores, sources and rules are parallel, a source's names are joined by "+", a rule is the
    one that placed the item or ""; acted: the rules that did anything to the list; first_rank: of
    the first item, beyond 1 for a later page; before: the items of the pages before it, then
    what stood beside them.
    """

    id: str
    user_id: str
    at: int
    scenario: str | None
    context: str | None
    model_version: str | None
    fallback: str | None
    degraded: list[str]
    first_rank: int
    before: list[str]
    items: list[str]
    scores: list[float]
    sources: list[str]
    rules: list[str]
    acted: list[str]


# MERGE on the constraint: two that write the same list make one.
SAVE_SERVED = """
UNWIND $rows AS row
MERGE (l:ServedList {id: row.id})
ON CREATE SET l = row.properties, l.at = datetime.fromEpoch(row.at / 1000000,
                                                           row.at % 1000000 * 1000)
WITH l, row
MATCH (u:User {id: row.user_id})
MERGE (l)-[:SHOWN_TO]->(u)
"""


def save_served(graph: Graph, rows: Sequence[ServedRow]) -> None:
    """Write lists, each once however often; those of people who were erased are dropped."""

    def work(tx: ManagedTransaction, erased: set[str]) -> None:
        # In the order of people and ids: two that write the same lists take their locks alike.
        kept = sorted(
            (row for row in rows if row["user_id"] not in erased),
            key=lambda row: (row["user_id"], row["id"]),
        )
        given = [
            {
                "id": row["id"],
                "user_id": row["user_id"],
                "at": row["at"],
                "properties": {k: v for k, v in row.items() if k not in ("user_id", "at")},
            }
            for row in kept
        ]
        tx.run(SAVE_SERVED, rows=given).consume()

    if rows:
        with_erased(graph, {row["user_id"] for row in rows if row["user_id"]}, work)


FETCH_SERVED = """
MATCH (l:ServedList {id: $id})
OPTIONAL MATCH (l)-[:SHOWN_TO]->(u:User)
RETURN l {.*, user_id: coalesce(u.id, ''),
          at: l.at.epochSeconds * 1000000 + l.at.microsecond} AS list
"""


def fetch_served(graph: Graph, id: str) -> ServedRow | None:
    """The list of this id."""
    rows = graph.read(FETCH_SERVED, id=id)
    if not rows:
        return None
    found = rows[0]["list"]
    return {name: found.get(name) for name in ServedRow.__annotations__}  # ty: ignore


# An event whose list is gone, or that is on another item, is an event and no outcome.
SAVE_OUTCOMES = """
UNWIND $rows AS row
MATCH (l:ServedList {id: row.list})
MATCH (u:User {id: row.user_id})
WITH row, l, u, [n IN range(0, size(l.items) - 1) WHERE l.items[n] = row.item_id] AS places
WHERE size(places) > 0
CREATE (u)-[:OUTCOME {type: row.type, event: row.event_id, item: row.item_id,
                      rank: l.first_rank + places[0],
                      at: datetime.fromEpoch(row.at / 1000000, row.at % 1000000 * 1000)}]->(l)
"""


def save_outcomes(tx: ManagedTransaction, events: Iterable[Mapping[str, Any]]) -> None:
    """Tie events that were just created, as graphdb.events.prepared has them, to their lists."""
    rows = [
        {
            "list": event["event"]["recommendation_id"],
            "event_id": event["event"]["event_id"],
            **{name: event[name] for name in ("user_id", "item_id", "type", "at")},
        }
        for event in events
        if "recommendation_id" in event["event"]
    ]
    if rows:
        tx.run(SAVE_OUTCOMES, rows=rows).consume()


FORGET_OUTCOMES = """
UNWIND $rows AS row
MATCH (:ServedList {id: row[0]})<-[o:OUTCOME {type: $type, event: row[1]}]-()
DELETE o
"""


def forget_outcomes(
    tx: ManagedTransaction, relationship: str, rows: Iterable[tuple[str | None, str]]
) -> None:
    """Untie events of a type that are not there any more: lists' ids and the events' own."""
    given = [list(row) for row in rows if row[0] is not None]
    if given:
        tx.run(FORGET_OUTCOMES, rows=given, type=relationship).consume()


COUNT_SERVED = "MATCH (l:ServedList) RETURN count(l) AS lists"

REMOVE_SERVED = """
MATCH (l:ServedList)
WHERE l.at < $before
WITH l ORDER BY l.at LIMIT $page
DETACH DELETE l
RETURN count(*) AS removed
"""


def remove_served(graph: Graph, before: datetime, most: int, *, page: int = PAGE) -> int:
    """Remove the lists shown before then, and of the others the oldest beyond `most`."""
    removed = _remove(graph, before, page, None)
    spare = graph.read(COUNT_SERVED)[0]["lists"] - most
    return removed + (_remove(graph, datetime.now(UTC), page, spare) if spare > 0 else 0)


def _remove(graph: Graph, before: datetime, page: int, most: int | None) -> int:
    removed = 0
    while most is None or removed < most:
        size = page if most is None else min(page, most - removed)
        # Not graph.write: what it has removed would count twice when a connection is lost.
        done = graph.transaction(
            lambda tx, size=size: tx.run(REMOVE_SERVED, before=before, page=size).single(
                strict=True
            )["removed"]
        )
        removed += done
        if done < size:
            break
    return removed
