"""What a version attended to, on the events themselves, for whoever reads the graph.

    (:User)-[event {attention_a}]->(:Item)      (:ModelVersion {attended})

One property a slot, for the version that holds it: the event's share in its person's vector, as the
model weighed it. Attention says what a model looked at, not what a score is the sum of. Only
properties are written, no node or relationship; the next writing, or the next version in the slot,
takes them away.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.versions.versions import PublicationError

PAGE_EVENTS = 20_000
HOLDING = ["serving", "standby"]
"""States of a version that holds its slot, filled."""


def attention_property(slot: str) -> str:
    """The property of events for the version in this slot."""
    return f"attention_{slot}"


@dataclass(frozen=True)
class Attended:
    """A person by key and the share of each of their events, by (type, item id, microseconds).

    Nothing in a snapshot tells apart events of one type on one item in one moment: what they have
    is written on each of them, so it must be what one of them has.
    """

    key: str
    shares: Mapping[tuple[str, str, int], float]


FETCH_HOLDER = """
MATCH (v:ModelVersion {id: $version})
WHERE v.state IN $holding
RETURN v.slot AS slot
"""

# The SET takes the version's node: whoever retires it waits, and clears the slot after this page.
LOCK_HOLDER = """
MATCH (v:ModelVersion {id: $version})
SET v.attended = coalesce(v.attended, 0)
WITH v
WHERE v.state IN $holding AND v.slot = $slot
RETURN v.id AS id
"""

# The share of an event that the model did not attend to is null: nothing is set.
SET_ATTENTION = """
UNWIND $people AS person
MATCH (known:User {key: person.key})
UNWIND [known] + COLLECT { MATCH (s:User)-[:SAME_AS]->(known) RETURN s } AS u
MATCH (u)-[r:<types>]->(i:Item)
WITH r, person.shares[
  type(r) + ' ' + toString(r.at.epochSeconds * 1000000 + r.at.microsecond) + ' ' + i.id
] AS share
SET r.<attention> = share
RETURN count(share) AS written
"""

COUNT_ATTENDED = """
MATCH (v:ModelVersion {id: $version})
SET v.attended = v.attended + $written
"""


def save_attention(graph: Graph, domain: Domain, version: str, people: Iterable[Attended]) -> int:
    """Write the shares on the events of a version that serves or stands by; returns how many.

    Events that are gone and people who were erased are passed over. Raises PublicationError for
    another version.
    """
    held = graph.read(FETCH_HOLDER, version=version, holding=HOLDING)
    if not held:
        raise PublicationError(
            f"version {version} neither serves nor stands by: publish it, then write its attention"
        )
    slot = held[0]["slot"]
    clear_attention(graph, slot)
    statement = render(
        SET_ATTENTION, types=domain.event_relationships, attention=attention_property(slot)
    )
    relationships = {name: spec.relationship for name, spec in domain.events.items()}

    def write(tx: ManagedTransaction, rows: list[dict[str, Any]]) -> int:
        if not tx.run(LOCK_HOLDER, version=version, slot=slot, holding=HOLDING).single():
            raise PublicationError(
                f"version {version} was retired meanwhile; nothing more is written"
            )
        written = tx.run(statement, people=rows).single(strict=True)["written"]
        tx.run(COUNT_ATTENDED, version=version, written=written).consume()
        return written

    total = 0
    for page in _pages(people):
        rows = [{"key": one.key, "shares": _by_event(one, relationships)} for one in page]
        total += graph.transaction(partial(write, rows=rows))
    return total


LIST_ATTENDED = """
MATCH (v:ModelVersion {slot: $slot})
WHERE v.attended IS NOT NULL
RETURN v.id AS id
"""

CLEAR_ATTENTION = """
MATCH (:User)-[r]->(:Item)
WHERE r.<attention> IS NOT NULL
WITH r LIMIT $batch
REMOVE r.<attention>
RETURN count(r) AS cleared
"""

FORGET_ATTENDED = """
MATCH (v:ModelVersion {slot: $slot})
REMOVE v.attended
"""


def clear_attention(graph: Graph, slot: str) -> None:
    """Remove what was written for a slot. The events are looked through only if something was."""
    if not graph.read(LIST_ATTENDED, slot=slot):
        return
    statement = render(CLEAR_ATTENTION, attention=attention_property(slot))
    while graph.write(statement, batch=PAGE_EVENTS)[0]["cleared"]:
        pass
    graph.write(FORGET_ATTENDED, slot=slot)


def _by_event(one: Attended, relationships: Mapping[str, str]) -> dict[str, float]:
    return {
        f"{relationships[kind]} {at} {item}": share
        for (kind, item, at), share in one.shares.items()
    }


def _pages(people: Iterable[Attended]) -> Iterator[list[Attended]]:
    page, events = [], 0
    for one in people:
        page.append(one)
        events += len(one.shares)
        if events >= PAGE_EVENTS:
            yield page
            page, events = [], 0
    if page:
        yield page
