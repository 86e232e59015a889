"""The paths behind an answer: a person's own events on items, and the items' fields to show.

A reason is the path (:User)-[event]->(:Item)-[:SIMILAR_x]->(:Item), the user being the person or
anybody joined to them; its share of the score is the scorer's business, not known here. A path is
told as it stands in the graph, and as the statement that fetches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain


@dataclass(frozen=True)
class Evidence:
    """A person's latest event on an item. user_id: the user at whom it stands; attention: what of
    it was asked for, of all their events on the item together, None where none has any."""

    event_type: str
    at: str
    event_id: str
    user_id: str
    value: float | None
    attention: float | None = None


class Known(NamedTuple):
    """By item a person's latest event on it, and by item its fields, as far as they were read."""

    latest: dict[str, Evidence]
    fields: dict[str, dict[str, Any]]


UNREAD = Known({}, {})


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
  WITH i, collect(r) AS mine
  WITH i, last(mine) AS latest, [r IN mine WHERE r[$attention] IS NOT NULL | r[$attention]] AS looks
  RETURN collect([i.id, type(latest), toString(latest.at), latest.event_id,
                  startNode(latest).id, latest.value,
                  CASE WHEN looks <> [] THEN reduce(sum = 0.0, x IN looks | sum + x) END]) AS events
}
CALL () {
  UNWIND $shown AS id
  MATCH (i:Item {id: id})
  RETURN collect([i.id, [name IN $names | i[name]]]) AS items
}
RETURN events, items
"""


def fetch_evidence(
    graph: Graph,
    domain: Domain,
    user_id: str,
    events: Sequence[str],
    shown: Sequence[str],
    attention: str = "",
) -> Known:
    """The person's latest event on each item of `events`, and the fields of `shown`;
    attention: the property of events that is to be summed."""
    names = domain.item_properties
    row = graph.read(
        FETCH_EVIDENCE,
        user=user_id,
        events=list(events),
        shown=list(shown),
        types=domain.event_relationships,
        names=names,
        attention=attention,
    )[0]
    fields = {item: _present(names, values) for item, values in row["items"]}
    return Known(evidence(domain, row["events"]), fields)


def evidence(domain: Domain, rows: Sequence[Sequence[Any]]) -> dict[str, Evidence]:
    """By item what rows say of it: [item, relationship, then as Evidence has it]."""
    types = {spec.relationship: name for name, spec in domain.events.items()}
    return {item: Evidence(types[relationship], *rest) for item, relationship, *rest in rows}


def _present(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {n: v for n, v in zip(names, values, strict=True) if v is not None}


# The version is matched first: what stands in its slot later is another's.
FETCH_PATH = """
MATCH (v:ModelVersion {id: $version})
WHERE v.slot = $slot AND v.state IN ['serving', 'standby']
MATCH (u:User {id: $user})-[e:<relationship> {event_id: $event}]->(i:Item {id: $because})
MATCH (i)-[s:<similar>]->(j:Item {id: $item})
RETURN [{label: 'User', id: u.id}, {label: 'Item', id: i.id}, {label: 'Item', id: j.id}] AS nodes,
       [{type: type(e), event_id: e.event_id, at: toString(e.at), value: e.value},
        {type: type(s), weight: s.weight}] AS relationships
"""

FETCH_EVENT_PATH = """
MATCH (u:User {id: $user})-[e:<relationship> {event_id: $event}]->(i:Item {id: $because})
RETURN [{label: 'User', id: u.id}, {label: 'Item', id: i.id}] AS nodes,
       [{type: type(e), event_id: e.event_id, at: toString(e.at), value: e.value}] AS relationships
"""

FETCH_WEIGHT_PATH = """
MATCH (v:ModelVersion {id: $version})
WHERE v.slot = $slot AND v.state IN ['serving', 'standby']
MATCH (i:Item {id: $because})-[s:<similar>]->(j:Item {id: $item})
RETURN [{label: 'Item', id: i.id}, {label: 'Item', id: j.id}] AS nodes,
       [{type: type(s), weight: s.weight}] AS relationships
"""


@dataclass(frozen=True)
class Path:
    """How an item is reached from a person's event on another: by the event, the version's weight
    between the two items, or both."""

    version: str
    slot: str
    because: str
    item: str
    event: Evidence | None
    weight: float | None

    def told(self, domain: Domain) -> dict[str, Any]:
        """The nodes and the relationships between each and the next."""
        nodes = [{"label": "Item", "id": self.because}]
        relationships: list[dict[str, Any]] = []
        if event := self.event:
            kind = domain.events[event.event_type].relationship
            of_event = {"event_id": event.event_id, "at": event.at, "value": event.value}
            nodes.insert(0, {"label": "User", "id": event.user_id})
            relationships.append({"type": kind, **of_event})
        if self.weight is not None:
            nodes.append({"label": "Item", "id": self.item})
            relationships.append({"type": self._similar, "weight": self.weight})
        return {"nodes": nodes, "relationships": relationships}

    def query(self, domain: Domain) -> tuple[LiteralString, dict[str, Any]]:
        """The statement that fetches the same from the graph, and its parameters."""
        asked: dict[str, Any] = {"because": self.because}
        names = {"similar": self._similar}
        if event := self.event:
            names["relationship"] = domain.events[event.event_type].relationship
            asked |= {"user": event.user_id, "event": event.event_id}
        if self.weight is not None:
            asked |= {"version": self.version, "slot": self.slot, "item": self.item}
        if self.weight is None:
            statement: LiteralString = FETCH_EVENT_PATH
        else:
            statement = FETCH_PATH if self.event else FETCH_WEIGHT_PATH
        return render(statement, **names).strip(), asked

    @property
    def _similar(self) -> str:
        return f"SIMILAR_{self.slot.upper()}"


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
WITH u, COUNT { (u)-[:<types>]->() } AS events
WHERE events > 0
WITH u.id AS id, events ORDER BY events, id
WITH collect(id) AS ids
RETURN [share IN $shares | ids[toInteger(share * (size(ids) - 1))]] AS ids
"""


def list_typical(graph: Graph, domain: Domain, shares: Sequence[float]) -> list[str]:
    """The people at these shares (0 to 1) of the order by activity."""
    statement = render(LIST_TYPICAL, types=domain.event_relationships)
    return [id for id in graph.read(statement, shares=list(shares))[0]["ids"] if id]
