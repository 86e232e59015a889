"""The references of benchmarks.ingest: the plain driver in a loop, one writer, 2,000 rows a batch.

Both loops are safe to repeat: the first looks each event up, the second lets the constraint refuse
a batch that was there. Rows and their properties are those that Pathlight writes; what it writes
besides (the source's offset, people's short lists) is not done here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import neo4j

from benchmarks.shoplike import ShopLike, shoplike_domain
from graphdb.connection import Neo4jSettings
from graphdb.cypher import render
from graphdb.events.event_row import EventRow, event_digest

BATCH = 2000

LOOK_UP = """
UNWIND $rows AS row
MERGE (u:User {id: row.user_id})
MERGE (i:Item {id: row.item_id})
WITH u, i, row
WHERE NOT EXISTS { ()-[:<type> {event_id: row.event.event_id}]->() }
CREATE (u)-[r:<type>]->(i)
SET r = row.event, r.at = datetime({epochMillis: row.at}),
    r.received_at = datetime({epochMillis: row.received_at})
"""

PEOPLE = "UNWIND $ids AS id MERGE (u:User {id: id}) ON CREATE SET u.key = randomUUID()"
THINGS = "UNWIND $ids AS id MERGE (i:Item {id: id}) ON CREATE SET i:Product"
CREATE = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
MATCH (i:Item {id: row.item_id})
CREATE (u)-[r:<type>]->(i)
SET r = row.event, r.at = datetime({epochMillis: row.at}),
    r.received_at = datetime({epochMillis: row.received_at})
"""

SOURCE = "import:0123456789abcdef"
"""As long as that of a file: the store keeps longer ones elsewhere."""

Batch = dict[str, list[dict[str, Any]]]


def bare_driver(place: Neo4jSettings) -> neo4j.Driver:
    """The driver with its defaults."""
    return neo4j.GraphDatabase.driver(
        place.uri, auth=(place.user, place.password.get_secret_value())
    )


def in_memory(data: ShopLike) -> list[Batch]:
    """All batches, by relationship type, as the loops send them."""
    return list(_batches(data))


def look_up_loop(driver: neo4j.Driver, batches: Sequence[Batch]) -> None:
    """Each row in one statement that creates it unless it is there."""
    with driver.session(database="neo4j") as session:
        for batch in batches:
            with session.begin_transaction() as tx:
                for kind, rows in batch.items():
                    tx.run(render(LOOK_UP, type=kind), rows=rows).consume()
                tx.commit()


def create_loop(driver: neo4j.Driver, batches: Sequence[Batch]) -> None:
    """People and items first, then the rows without a look: the constraint guards them."""
    with driver.session(database="neo4j") as session:
        for batch in batches:
            rows = [row for rows in batch.values() for row in rows]
            with session.begin_transaction() as tx:
                tx.run(PEOPLE, ids=sorted({row["user_id"] for row in rows})).consume()
                tx.run(THINGS, ids=sorted({row["item_id"] for row in rows})).consume()
                for kind, mine in batch.items():
                    tx.run(render(CREATE, type=kind), rows=mine).consume()
                tx.commit()


def _batches(data: ShopLike) -> Iterator[Batch]:
    types = {name: spec.relationship for name, spec in shoplike_domain().events.items()}
    batch, count = defaultdict(list), 0
    for seq, row in enumerate(data.rows()):
        batch[types[row["event_type"]]].append(_prepared(row, seq))
        count += 1
        if count == BATCH:
            yield dict(batch)
            batch, count = defaultdict(list), 0
    if batch:
        yield dict(batch)


def _prepared(row: EventRow, seq: int) -> dict[str, Any]:
    event = {"event_id": row["event_id"], "source": SOURCE, "seq": seq, "digest": event_digest(row)}
    if row["value"] is not None:
        event["value"] = row["value"]
    times = {"at": row["at"] // 1000, "received_at": row["received_at"] // 1000}
    return {"user_id": row["user_id"], "item_id": row["item_id"], "event": event, **times}
