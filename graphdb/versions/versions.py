"""Model versions in the graph: filled aside in a slot, proven, then flipped in one transaction.

    (:Serving {id: 'serving'})-[:SERVES {share}]->(:ModelVersion {id, slot, state, fence})

States: building → serving → standby → retired. What serves is a set of (version, share); today one
version has all of it. The slot that neither serves nor stands by is the one to fill
(graphdb.versions.slots).
"""

import json
from dataclasses import dataclass
from typing import Any

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.errors import PathlightError

SLOTS = ("a", "b", "c")


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


def _storable(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in facts.items()
    }
