"""Knowledge-graph edges of the types that the domain allows: between users, items and attributes.

    (:User)-[:FOLLOWS {weight}]->(:User)    (:Item)-[:SEQUEL_OF]->(:Item)-[:SET_IN]->(:Place {id})

One relationship for each type and pair of ends, whatever is sent again. Rows are validated before
they come here.
"""

from collections.abc import Sequence
from typing import TypedDict

from neo4j import ManagedTransaction

from graphdb.catalogue.catalogue import SAVE_ATTRIBUTES
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.events.events import SAVE_PEOPLE, SAVE_THINGS
from graphdb.people.erasure import with_erased

BATCH = 1000


class RelationRow(TypedDict):
    """One relation: `type` names one of the domain's, `start` and `end` are ids of its ends."""

    type: str
    start: str
    end: str
    weight: float | None


def save_relations(graph: Graph, domain: Domain, rows: Sequence[RelationRow]) -> list[int]:
    """Save relations, their weights replaced; ends that are missing are created, as events do it.

    Returns the positions of rows that name erased people: nothing of them is saved.
    """
    refused: list[int] = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        refused += [start + n for n in _save_batch(graph, domain, batch)]
    return refused


def _save_batch(graph: Graph, domain: Domain, rows: Sequence[RelationRow]) -> list[int]:
    def work(tx: ManagedTransaction, erased: set[str]) -> list[int]:
        refused = [n for n, row in enumerate(rows) if erased & _people(domain, row)]
        kept = [row for n, row in enumerate(rows) if n not in set(refused)]
        for name in sorted({row["type"] for row in kept}):
            _save(tx, domain, name, [row for row in kept if row["type"] == name])
        return refused

    people = {person for row in rows for person in _people(domain, row)}
    return with_erased(graph, people, work)


def _people(domain: Domain, row: RelationRow) -> set[str]:
    spec = domain.relations[row["type"]]
    ends = ((spec.from_, row["start"]), (spec.to, row["end"]))
    return {id for kind, id in ends if kind == "user"}


# (start)-[:<relationship> {weight}]->(end)
SAVE_RELATIONS = """
UNWIND $rows AS row
MATCH (start:<start> {id: row.start})
MATCH (end:<end> {id: row.end})
MERGE (start)-[r:<relationship>]->(end)
SET r.weight = row.weight
"""


def _save(tx: ManagedTransaction, domain: Domain, name: str, rows: list[RelationRow]) -> None:
    spec = domain.relations[name]
    _create_ends(tx, domain, spec.from_, {row["start"] for row in rows})
    _create_ends(tx, domain, spec.to, {row["end"] for row in rows})
    statement = render(SAVE_RELATIONS, **_names(domain, name))
    ordered = sorted(rows, key=lambda row: (row["start"], row["end"]))
    tx.run(statement, rows=ordered).consume()


def _create_ends(tx: ManagedTransaction, domain: Domain, kind: str, ids: set[str]) -> None:
    if kind == "user":
        tx.run(SAVE_PEOPLE, ids=sorted(ids)).consume()
    elif kind == "item":
        tx.run(render(SAVE_THINGS, label=domain.item.label), ids=sorted(ids)).consume()
    else:
        label = domain.nodes[kind]
        tx.run(render(SAVE_ATTRIBUTES, label=label), values=sorted(ids)).consume()


DELETE_RELATION = """
MATCH (:<start> {id: $start})-[r:<relationship>]->(:<end> {id: $end})
DELETE r
RETURN count(*) AS deleted
"""


def delete_relation(graph: Graph, domain: Domain, name: str, start: str, end: str) -> bool:
    """Remove one relation, its ends stay; whether it was there."""
    statement = render(DELETE_RELATION, **_names(domain, name))
    return graph.write(statement, start=start, end=end)[0]["deleted"] > 0


def _names(domain: Domain, name: str) -> dict[str, str]:
    spec = domain.relations[name]
    start, end = domain.nodes[spec.from_], domain.nodes[spec.to]
    return {"start": start, "end": end, "relationship": spec.relationship}
