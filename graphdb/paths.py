"""The paths behind an answer: a person's own events on items, and the items' fields to show.

A reason is the path (:User)-[event]->(:Item)-[:SIMILAR_x]->(:Item), the user being the person or
anybody joined to them; its share of the score is the scorer's business, not known here.
"""

from collections.abc import Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.domain import Domain

FETCH_EVIDENCE = """
OPTIONAL MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS person
CALL (person) {
  UNWIND [person] + COLLECT { MATCH (s:User)-[:SAME_AS]->(person) RETURN s } AS u
  UNWIND $events AS id
  MATCH (u)-[r]->(i:Item {id: id})
  WHERE type(r) IN $types
  WITH i, r ORDER BY r.at
  WITH i, last(collect(r)) AS latest
  RETURN collect([i.id, type(latest), toString(latest.at)]) AS events
}
CALL () {
  UNWIND $shown AS id
  MATCH (i:Item {id: id})
  RETURN collect([i.id, [name IN $names | i[name]]]) AS items
}
RETURN events, items
"""


def fetch_evidence(
    graph: Graph, domain: Domain, user_id: str, events: Sequence[str], shown: Sequence[str]
) -> tuple[dict[str, tuple[str, str]], dict[str, dict[str, Any]]]:
    """The person's latest event (type, time) on each item of `events`, and fields of `shown`."""
    types = {spec.relationship: name for name, spec in domain.events.items()}
    names = domain.item_properties
    row = graph.read(
        FETCH_EVIDENCE,
        user=user_id,
        events=list(events),
        shown=list(shown),
        types=list(types),
        names=names,
    )[0]
    latest = {item: (types[relationship], at) for item, relationship, at in row["events"]}
    return latest, {item: _present(names, values) for item, values in row["items"]}


def _present(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {n: v for n, v in zip(names, values, strict=True) if v is not None}


FETCH_HISTORY = """
MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS person
UNWIND [person] + COLLECT { MATCH (s:User)-[:SAME_AS]->(person) RETURN s } AS u
MATCH (u)-[r]->(i:Item)
WHERE type(r) IN $types
WITH r, i ORDER BY r.at DESC, i.id LIMIT $k
RETURN collect([i.id, type(r), r.value, toString(r.at), [name IN $names | i[name]]]) AS events
"""


def fetch_history(graph: Graph, domain: Domain, user_id: str, k: int) -> list[dict[str, Any]]:
    """A person's latest events, newest first, with the items' fields; none for a stranger."""
    types = {spec.relationship: name for name, spec in domain.events.items()}
    names = domain.item_properties
    events = graph.read(FETCH_HISTORY, user=user_id, types=list(types), names=names, k=k)[0]
    return [
        {"id": item, "type": types[kind], "value": value, "at": at, "item": _present(names, values)}
        for item, kind, value, at, values in events["events"]
    ]


LIST_TYPICAL = """
MATCH (u:User)
WITH u, COUNT { (u)-->(:Item) } AS events
WHERE events > 0
WITH u.id AS id, events ORDER BY events, id
WITH collect(id) AS ids
RETURN [share IN $shares | ids[toInteger(share * (size(ids) - 1))]] AS ids
"""


def list_typical(graph: Graph, shares: Sequence[float]) -> list[str]:
    """The people at these shares (0 to 1) of the order by activity."""
    return [id for id in graph.read(LIST_TYPICAL, shares=list(shares))[0]["ids"] if id]
