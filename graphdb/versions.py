"""Model versions in the graph: filled aside in a slot, proven, then flipped in one transaction.

    (:Serving {id: 'serving'})-[:SERVES {share}]->(:ModelVersion {id, slot, state, fence})
    (:User|Item {vector_a})          one property and one vector index a slot
    (:Item)-[:SIMILAR_A {weight}]->(:Item)

States: building → serving → standby → retired. What serves is a set of (version, share); today one
version has all of it. The slot that neither serves nor stands by is the one to fill. Publication
matches nodes and never creates them: an erased person does not come back. Each write of a version
holds its fence against the node, so that a publisher that was overtaken writes nothing.

It takes plain rows and knows nothing of models.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.domain import render
from graphdb.errors import PathlightError

SLOTS = ("a", "b", "c")
BATCH = 2_000
EDGE_BATCH = 20_000


class PublicationError(PathlightError):
    """A version could not be brought to serve; what served before serves still."""


class OvertakenError(PublicationError):
    """Another publisher holds the version now; this one has stopped."""


@dataclass(frozen=True)
class Building:
    """A version being filled: its id, slot, and the fence every write is held against."""

    id: str
    slot: str
    fence: int

    @property
    def vector(self) -> str:
        return f"vector_{self.slot}"

    @property
    def similar(self) -> str:
        return f"SIMILAR_{self.slot.upper()}"


def index_name(label: Literal["Item", "User"], slot: str) -> str:
    """The name of a slot's vector index."""
    return f"{label.lower()}_vector_{slot}"


# The SET takes the lock: two publishers cannot choose the same slot.
LOCK_SERVING = """
MERGE (s:Serving {id: 'serving'})
SET s.locked = true
REMOVE s.locked
"""

LIST_HELD = """
MATCH (v:ModelVersion)
WHERE v.state IN ['serving', 'standby', 'building']
RETURN v.id AS id, v.slot AS slot, v.state AS state, v.fence AS fence
ORDER BY v.created_at
"""

BEGIN = """
MERGE (v:ModelVersion {id: $id})
ON CREATE SET v.created_at = datetime()
SET v += $facts, v.slot = $slot, v.state = 'building', v.fence = $fence
"""

RETIRE = """
MATCH (v:ModelVersion {id: $id})
SET v.state = 'retired'
"""


def begin_version(graph: Graph, version: str, facts: dict[str, Any], fence: int = 0) -> Building:
    """Take a slot for `version`. Taking it again (a later attempt) needs a fence not below.

    A version that was abandoned while building loses its slot when no other is free. Raises
    OvertakenError, PublicationError when the version serves or stands by already.
    """

    def work(tx: ManagedTransaction) -> Building:
        tx.run(LOCK_SERVING).consume()
        held = [dict(record) for record in tx.run(LIST_HELD)]
        mine = next((row for row in held if row["id"] == version), None)
        if mine and mine["state"] != "building":
            raise PublicationError(f"version {version} is {mine['state']} already")
        if mine and mine["fence"] > fence:
            raise OvertakenError(f"version {version} is being published by another attempt")
        slot = mine["slot"] if mine else _free_slot(tx, held)
        tx.run(BEGIN, id=version, slot=slot, fence=fence, facts=_storable(facts)).consume()
        return Building(version, slot, fence)

    return graph.transaction(work)


def _free_slot(tx: ManagedTransaction, held: list[dict[str, Any]]) -> str:
    taken = {row["slot"] for row in held}
    free = [slot for slot in SLOTS if slot not in taken]
    if free:
        return free[0]
    abandoned = next((row for row in held if row["state"] == "building"), None)
    if abandoned is None:
        raise PublicationError("no slot is free: two versions serve and one stands by")
    tx.run(RETIRE, id=abandoned["id"]).consume()
    return abandoned["slot"]


DROP_INDEX = "DROP INDEX <index> IF EXISTS"

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
        graph.write(render(DROP_INDEX, index=index_name(label, building.slot)))
        statement = render(CLEAR_VECTORS, label=label, **names)
        while _fenced(graph, building, statement, batch=BATCH)["cleared"]:
            pass
    statement = render(CLEAR_SIMILAR, similar=building.similar)
    while _fenced(graph, building, statement, batch=EDGE_BATCH)["cleared"]:
        pass


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


CREATE_VECTOR_INDEX = """
CREATE VECTOR INDEX <index> IF NOT EXISTS FOR (n:<label>) ON n.<vector>
OPTIONS {indexConfig: {
  `vector.dimensions`: toInteger($dimensions), `vector.similarity_function`: 'cosine',
  `vector.quantization.enabled`: false, `vector.hnsw.m`: 32, `vector.hnsw.ef_construction`: 200
}}
"""

AWAIT_INDEX = "CALL db.awaitIndex($index, 600)"

FETCH_INDEX = """
SHOW VECTOR INDEXES YIELD name, state, populationPercent
WHERE name = $index
RETURN state, populationPercent AS percent
"""


def build_indexes(graph: Graph, building: Building, dimensions: int) -> None:
    """Create the slot's two vector indexes and wait until they are ONLINE and full.

    Quantisation is off: by default it loses a tenth of the true neighbours.
    """
    for label in ("Item", "User"):
        index = index_name(label, building.slot)
        names = {"index": index, "label": label, "vector": building.vector}
        graph.write(render(CREATE_VECTOR_INDEX, **names), dimensions=dimensions)
    for label in ("Item", "User"):
        index = index_name(label, building.slot)
        graph.read(AWAIT_INDEX, index=index)
        found = graph.read(FETCH_INDEX, index=index)
        if not found or found[0]["state"] != "ONLINE" or found[0]["percent"] < 100:
            raise PublicationError(f"vector index {index} is not ready: {found or 'absent'}")


NEAREST = """
CALL db.index.vector.queryNodes($index, $k, $vector) YIELD node, score
RETURN collect(node.id) AS ids
"""


def nearest(graph: Graph, slot: str, vector: list[float], k: int) -> list[str]:
    """Item ids by the slot's vector index, best first."""
    return graph.read(NEAREST, index=index_name("Item", slot), k=k, vector=vector)[0]["ids"]


UNSERVE = """
MATCH (:Serving {id: 'serving'})-[r:SERVES]->(v:ModelVersion)
DELETE r
SET v.state = 'standby'
"""

RETIRE_STANDBY = """
MATCH (v:ModelVersion {state: 'standby'})
SET v.state = 'retired'
"""

SERVE = """
MATCH (s:Serving {id: 'serving'}), (v:ModelVersion {id: $version})
WHERE v.state IN $from AND v.fence = $fence
CREATE (s)-[:SERVES {share: 1.0}]->(v)
SET v.state = 'serving', v.published_at = datetime.realtime()
RETURN v.id AS id
"""


def flip(graph: Graph, building: Building) -> None:
    """Make the filled version serve and the one before it stand by, in one transaction."""

    def work(tx: ManagedTransaction) -> None:
        tx.run(LOCK_SERVING).consume()
        tx.run(RETIRE_STANDBY).consume()
        tx.run(UNSERVE).consume()
        _serve(tx, building.id, building.fence, "building")

    graph.transaction(work)


FETCH_STANDBY = """
MATCH (v:ModelVersion {state: 'standby'})
RETURN v.id AS id, v.fence AS fence
"""


def rollback(graph: Graph) -> str:
    """Let the version that stands by serve again; returns its id. Again: flips back.

    Raises PublicationError when none stands by.
    """

    def work(tx: ManagedTransaction) -> str:
        tx.run(LOCK_SERVING).consume()
        standby = tx.run(FETCH_STANDBY).single()
        if standby is None:
            raise PublicationError("no earlier version stands by; publish one from its artifact")
        tx.run(UNSERVE).consume()
        _serve(tx, standby["id"], standby["fence"], "standby")
        return standby["id"]

    return graph.transaction(work)


def _serve(tx: ManagedTransaction, version: str, fence: int, state: str) -> None:
    states = [state]
    if not tx.run(SERVE, {"version": version, "fence": fence, "from": states}).single():
        raise OvertakenError(f"version {version} is no longer {state} under this attempt")


LIST_VERSIONS = """
MATCH (v:ModelVersion)
OPTIONAL MATCH (:Serving)-[s:SERVES]->(v)
RETURN v.id AS id, v.slot AS slot, v.state AS state, s.share AS share,
       toString(v.created_at) AS created_at, toString(v.published_at) AS published_at,
       v.metrics AS metrics
ORDER BY v.created_at DESC
"""


def list_versions(graph: Graph) -> list[dict[str, Any]]:
    """All versions, newest first, with their metrics as they were judged."""
    rows = graph.read(LIST_VERSIONS)
    return [{**row, "metrics": json.loads(row["metrics"] or "{}")} for row in rows]


FETCH_SERVING = """
MATCH (:Serving {id: 'serving'})-[:SERVES]->(v:ModelVersion)
RETURN v.id AS id, v.slot AS slot
"""


def fetch_serving(graph: Graph) -> dict[str, Any] | None:
    """`{"id", "slot"}` of the version that serves, or None before the first publication."""
    return next(iter(graph.read(FETCH_SERVING)), None)


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


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in facts.items()
    }
