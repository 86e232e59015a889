"""A snapshot of a shop's events beside the bare driver's read of the same columns.

    python -m benchmarks.snapshot [--events 1000000] [--rounds 3]

A local Neo4j of its own, loaded by a plain loop. `reference` of snapshot.export is
one streamed statement that collects each person's events, its rows thrown away; both are
interleaved and the medians printed. snapshot.rss is the peak memory of this process.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import neo4j

from benchmarks.bare_loop import bare_driver
from benchmarks.figures import show
from benchmarks.shop_stack import shop_stack
from benchmarks.shoplike import TYPES, ShopLike, item_id, rows_of, shoplike_domain, user_id
from graphdb.export.export import export_snapshot

BATCH = 2000
SOURCE = "benchmark"

READ = """
MATCH (u:User)
CALL (u) {
  MATCH (u)-[r:VIEWED|CARTED|PURCHASED]->(i)
  WITH i.id AS id, type(r) AS type, r.at AS at, r.value AS value
  RETURN collect(id) AS items, collect(type) AS types,
         collect(at.epochSeconds * 1000000 + at.microsecond) AS times,
         collect(coalesce(value, 0.0 / 0.0)) AS values
}
RETURN u.key AS key, items, types, times, values
"""
CREATE_USERS = "UNWIND $ids AS id CREATE (:User {id: id, key: randomUUID()})"
CREATE_ITEMS = "UNWIND $ids AS id CREATE (:Item:Product {id: id})"
CREATE_EVENTS = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
MATCH (i:Item {id: row.item_id})
CREATE (u)-[r:%s]->(i)
SET r.event_id = row.event_id, r.value = row.value, r.seq = row.seq, r.source = $source,
    r.at = datetime({epochSeconds: row.at / 1000000, nanosecond: row.at %% 1000000 * 1000}),
    r.received_at = datetime({
      epochSeconds: row.received_at / 1000000, nanosecond: row.received_at %% 1000000 * 1000})
"""
CREATE_SOURCE = "CREATE (:Source {id: $source, offset: $events - 1, events: $events})"


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = ShopLike(events=options.events)
    print(f"seed {data.seed}", file=sys.stderr)
    value, reference, megabytes = measure(data, options.rounds)
    show("snapshot.export", value, "s", reference)
    show("snapshot.rss", megabytes, "MB")


def measure(data: ShopLike, rounds: int) -> tuple[float, float, float]:
    """Median seconds of a snapshot and of the bare read, and this process's peak MB."""
    ours, bare = [], []
    with (
        shop_stack(parts=()) as (stack, graph),
        bare_driver(stack.neo4j) as driver,
        tempfile.TemporaryDirectory() as folder,
    ):
        load_plain(driver, data)
        for number in range(rounds):
            bare.append(_seconds(partial(_read, driver, data.events)))
            target = Path(folder) / str(number)
            export = partial(export_snapshot, graph, shoplike_domain(), target)
            ours.append(_seconds(export))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return statistics.median(ours), statistics.median(bare), peak


def load_plain(driver: neo4j.Driver, data: ShopLike) -> None:
    """The data into an empty graph, 2,000 rows a transaction, nothing looked up."""
    with driver.session(database="neo4j") as session:
        for statement, identify, count in (
            (CREATE_USERS, user_id, data.users),
            (CREATE_ITEMS, item_id, data.items),
        ):
            for start in range(0, count, BATCH):
                ids = [identify(row) for row in range(start, min(count, start + BATCH))]
                session.run(statement, ids=ids).consume()
        for block in data.blocks():
            rows = [{**row, "seq": n} for n, row in enumerate(rows_of(block), block.first)]
            for start in range(0, len(rows), BATCH):
                with session.begin_transaction() as tx:
                    _create(tx, rows[start : start + BATCH])
                    tx.commit()
        session.run(CREATE_SOURCE, source=SOURCE, events=data.events).consume()


def _create(tx: neo4j.Transaction, rows: list[dict]) -> None:
    for kind in TYPES:
        mine = [row for row in rows if row["event_type"] == kind]
        tx.run(CREATE_EVENTS % kind.upper(), rows=mine, source=SOURCE).consume()


def _read(driver: neo4j.Driver, expected: int) -> None:
    with driver.session(database="neo4j", default_access_mode=neo4j.READ_ACCESS) as session:
        found = sum(len(record["items"]) for record in session.run(READ))
    assert found == expected, found


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
