"""A slot of a version: cleared, filled in batches, indexed, asked.

    (:User|Item {vector_a})          one property and one vector index a slot
    (:Item)-[:SIMILAR_A {weight}]->(:Item)

Publication matches nodes and never creates them: an erased person does not come back. Each write
holds the version's fence against its node, so that a publisher that was overtaken writes nothing.
It takes plain rows and knows nothing of models.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.vector_indexes import (
    await_index,
    create_vector_index,
    drop_index,
    fetch_index,
    holds_fields,
    is_online,
    list_fields,
)
from graphdb.versions.attention import clear_attention
from graphdb.versions.versions import Building, OvertakenError, PublicationError

BATCH = 2_000
EDGE_BATCH = 20_000


def index_name(label: str, slot: str) -> str:
    """The name of a slot's vector index."""
    return f"{label.lower()}_vector_{slot}"


CHECK_FENCE = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
RETURN v.id AS id
"""

CLEAR_VECTORS = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
CALL (v) {
  MATCH (n:<label>) WHERE n.<vector> IS NOT NULL
  WITH n LIMIT $batch
  REMOVE n.<vector>, n.<length>
  RETURN count(n) AS cleared
}
RETURN cleared
"""

CLEAR_SIMILAR = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
CALL (v) {
  MATCH (:Item)-[r:<similar>]->(:Item)
  WITH r LIMIT $batch
  DELETE r
  RETURN count(r) AS cleared
}
RETURN cleared
"""


def clear_slot(graph: Graph, building: Building) -> None:
    """Remove what an earlier version or attempt left in the slot."""
    names = {"vector": building.vector, "length": f"vector_length_{building.slot}"}
    for label in ("Item", "User"):
        # A schema statement cannot match the fence itself.
        _fenced(graph, building, CHECK_FENCE)
        drop_index(graph, index_name(label, building.slot))
        statement = render(CLEAR_VECTORS, label=label, **names)
        while _fenced(graph, building, statement, batch=BATCH)["cleared"]:
            pass
    statement = render(CLEAR_SIMILAR, similar=building.similar)
    while _fenced(graph, building, statement, batch=EDGE_BATCH)["cleared"]:
        pass
    clear_attention(graph, building.slot)


FILL_ITEMS = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
CALL (v) {
  UNWIND $rows AS row
  MATCH (n:Item {id: row[0]})
  SET n.<vector> = row[1], n.<length> = row[2]
  RETURN count(n) AS written
}
RETURN written
"""

FILL_USERS = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
CALL (v) {
  UNWIND $rows AS row
  MATCH (n:User {key: row[0]})
  SET n.<vector> = row[1]
  RETURN count(n) AS written
}
RETURN written
"""

FILL_SIMILAR = """
MATCH (v:ModelVersion {id: $version, fence: $fence, state: 'building'})
CALL (v) {
  UNWIND $rows AS row
  MATCH (i:Item {id: row[0]})
  UNWIND range(0, size(row[1]) - 1) AS n
  MATCH (j:Item {id: row[1][n]})
  CREATE (i)-[:<similar> {weight: row[2][n]}]->(j)
  RETURN count(*) AS written
}
RETURN written
"""

Advance = Callable[[int], None]


def fill_items(
    graph: Graph, building: Building, rows: Sequence[tuple[str, list[float], float]], done: Advance
) -> int:
    """Write item rows (id, indexed vector, length factor); returns how many items exist."""
    names = {"vector": building.vector, "length": f"vector_length_{building.slot}"}
    return _fill(graph, building, render(FILL_ITEMS, **names), rows, BATCH, done)


def fill_users(
    graph: Graph, building: Building, rows: Sequence[tuple[str, list[float]]], done: Advance
) -> int:
    """Write user rows (key, indexed vector); returns how many of these people exist."""
    return _fill(graph, building, render(FILL_USERS, vector=building.vector), rows, BATCH, done)


def fill_similar(
    graph: Graph,
    building: Building,
    rows: Sequence[tuple[str, list[str], list[float]]],
    done: Advance,
) -> int:
    """Write item–item weights (item, others, weights) as relationships; returns their number."""
    width = max((len(row[1]) for row in rows), default=1) or 1
    statement = render(FILL_SIMILAR, similar=building.similar)
    return _fill(graph, building, statement, rows, max(1, EDGE_BATCH // width), done)


# graphdb.schema's range indexes refuse a text that is too long, in the statement that writes it. A
# vector index alone would stop the database at commit.
LIST_COMPARED = """
SHOW RANGE INDEXES YIELD name, state, labelsOrTypes, properties
WHERE labelsOrTypes = ['Item'] AND name STARTS WITH 'item_field_' AND state = 'ONLINE'
RETURN properties[0] AS field ORDER BY field
"""


def build_indexes(graph: Graph, building: Building, dimensions: int) -> None:
    """Create the slot's two vector indexes and wait until they are ONLINE and full.

    Where the server can filter inside an index, that of items holds the fields that filters
    compare.
    """
    compared = [row["field"] for row in graph.read(LIST_COMPARED)] if holds_fields(graph) else []
    fields = {"Item": compared, "User": []}
    names = {label: index_name(label, building.slot) for label in fields}
    for label, index in names.items():
        held = fields[label]
        create_vector_index(graph, index, label, building.vector, dimensions, fields=held)
    for index in names.values():
        if not await_index(graph, index):
            found = fetch_index(graph, index)
            raise PublicationError(f"vector index {index} is not ready: {found or 'absent'}")


def indexed_fields(graph: Graph, slot: str) -> frozenset[str]:
    """The fields by which the slot's index of items can filter."""
    return list_fields(graph, index_name("Item", slot))


def is_indexed(graph: Graph, slot: str) -> bool:
    """Whether the slot's index of items can be asked: without it everything has to be scored."""
    return is_online(graph, index_name("Item", slot))


NEAREST = """
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
RETURN collect(node.id) AS ids
"""


def nearest(graph: Graph, slot: str, vector: list[float], k: int) -> list[str]:
    """Item ids by the slot's vector index, best first."""
    return graph.read(NEAREST, index=index_name("Item", slot), k=k, vector=vector)[0]["ids"]


def _fenced(graph: Graph, building: Building, statement, **parameters: Any) -> dict[str, Any]:
    rows = graph.write(statement, version=building.id, fence=building.fence, **parameters)
    if not rows:
        raise OvertakenError(f"version {building.id} is being published by another attempt")
    return rows[0]


def _fill(graph: Graph, building: Building, statement, rows, size: int, done: Advance) -> int:
    written = 0
    for batch in batches(rows, size):
        written += _fenced(graph, building, statement, rows=batch)["written"]
        done(len(batch))
    return written


def batches(rows: Sequence, size: int) -> Iterator[list]:
    """`rows` in lists of at most `size`."""
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])
