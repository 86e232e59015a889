"""What the graph must hold after any schedule, in ten lines; and what it holds."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.event_row import EventRow, event_digest, micros

Key = tuple[str, str]
Rank = tuple[int, str]
STORED = """
MATCH (u:User)-[r]->(i:Item) WHERE r.event_id IS NOT NULL
RETURN type(r) AS type, r {.*} AS event, u.id AS user, i.id AS item
"""
NOTHING = dict.fromkeys(EventRow.__annotations__)
COUNTED = "MATCH (s:Source) WHERE s.events <> 0 RETURN s.id AS id, s.events AS events"


def expected(sent: Iterable[EventRow], taken_back: Iterable[Key]) -> dict[Key, Rank]:
    """Of each type and id the content received first, unless it was taken back: once, for good."""
    graph: dict[Key, Rank] = {}
    for row in sent:
        key, rank = (row["event_type"], row["event_id"]), (row["received_at"], event_digest(row))
        graph[key] = min(rank, graph.get(key, rank))
    for key in taken_back:
        graph.pop(key, None)
    return graph


def stored(graph: Graph, domain: Domain) -> dict[Key, Rank]:
    """The same of what is in the graph: each event once, with the content that its digest says."""
    names = {spec.relationship: name for name, spec in domain.events.items()}
    found: dict[Key, Rank] = {}
    records = graph.read(STORED)
    for record in records:
        event: dict[str, Any] = record["event"]
        times = {name: micros(event[name].to_native()) for name in ("at", "received_at")}
        told = event | {"user_id": record["user"], "item_id": record["item"], **times}
        if "occurred_at" in event:
            told["occurred_at"] = micros(event["occurred_at"].to_native())
        digest = event_digest(NOTHING | {"occurred_at": times["at"]} | told)
        key = (names[record["type"]], event["event_id"])
        assert key not in found, f"{key} is there twice"
        assert digest == event["digest"], f"{key} is not what was sent"
        found[key] = (times["received_at"], digest)
    counted = {row["id"]: row["events"] for row in graph.read(COUNTED)}
    assert counted == Counter(record["event"]["source"] for record in records)
    return found
