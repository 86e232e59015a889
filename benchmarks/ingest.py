"""Events into the graph: a file, the same again, batches over HTTP, and one at a time.

    python -m benchmarks.ingest [--events 1000000] [--rounds 3] [--rest 200000] [--requests 500]

ingest.bulk is `pathlight import` of a Parquet file into an empty graph, from the start of the
program to its end; its reference the fastest bare loop (benchmarks.bare_loop) on rows that are in
memory already, into an empty graph too. Each round does all of them, and the medians are printed.
ingest.again is another file with the same events, all of them duplicates, beside the first.
ingest.rss is the peak memory of the importing process. ingest.rest is beside ingest.bulk, and
ingest.single.p50 beside an endpoint that does one XADD (benchmarks.ingest_rest).
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import neo4j

from benchmarks.bare_loop import Batch, create_loop, in_memory, look_up_loop
from benchmarks.figures import show
from benchmarks.ingest_rest import measure_batches, measure_single, shop_stack
from benchmarks.shoplike import DOMAIN, ShopLike, shoplike_domain
from graphdb.connection import Graph
from graphdb.schema import create_schema
from graphdb.server import LocalNeo4j, bolt_uri

COUNT = "MATCH ()-[r]->() RETURN count(r) AS n"
LOOPS = (look_up_loop, create_loop)


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rest", type=int, default=200_000, help="events sent in batches")
    parser.add_argument("--requests", type=int, default=500, help="of each kind, one at a time")
    options = parser.parse_args()
    data = ShopLike(events=options.events)
    print(f"seed {data.seed}", file=sys.stderr)
    bulk = measure_bulk(data, options.rounds)
    with shop_stack() as (stack, graph):
        rate, visible = measure_batches(stack, graph, options.rest)
        show("ingest.rest", rate, "rows/s", bulk)
        show("ingest.rest.visible", visible, "s")
        single, bare = measure_single(stack, options.requests)
        show("ingest.single.p50", single, "ms", bare)


@dataclass
class Seconds:
    """What each round took; `loops` by the name of the loop."""

    bulk: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    loops: dict[str, list[float]] = field(default_factory=dict)
    rss_mb: float = 0.0


def measure_bulk(data: ShopLike, rounds: int) -> float:
    """Print the figures of files; returns ingest.bulk in rows a second."""
    taken = Seconds(loops={loop.__name__: [] for loop in LOOPS})
    batches = in_memory(data)
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "events.parquet", Path(folder) / "again.parquet"
        data.write_parquet(first)
        shutil.copy(first, second)
        for _ in range(rounds):
            _round(data, first, second, batches, taken)
    bulk, again = (data.events / statistics.median(took) for took in (taken.bulk, taken.again))
    bare = {name: data.events / statistics.median(took) for name, took in taken.loops.items()}
    show("ingest.bulk", bulk, "rows/s", max(bare.values()), **bare)
    show("ingest.again", again, "rows/s", bulk)
    show("ingest.rss", taken.rss_mb, "MB")
    return bulk


def _round(data: ShopLike, first: Path, second: Path, batches: list[Batch], taken: Seconds) -> None:
    for loop in LOOPS:
        with empty_graph() as place, place.driver() as driver:
            taken.loops[loop.__name__].append(_seconds(lambda: loop(driver, batches)))  # noqa: B023
            place.check(data.events)
    with empty_graph() as place:
        seconds, megabytes = place.pathlight("import", str(first))
        taken.bulk.append(seconds)
        taken.rss_mb = max(taken.rss_mb, megabytes)
        place.check(data.events)
        seconds, megabytes = place.pathlight("import", str(second))
        taken.again.append(seconds)
        taken.rss_mb = max(taken.rss_mb, megabytes)
        place.check(data.events)


@dataclass(frozen=True)
class Place:
    """A Neo4j with nothing but the schema in it, and a folder for what is beside it."""

    uri: str
    password: str
    folder: Path

    def driver(self) -> neo4j.Driver:
        return neo4j.GraphDatabase.driver(self.uri, auth=("neo4j", self.password))

    def check(self, expected: int) -> None:
        """Raise AssertionError unless there are so many events."""
        with self.driver() as driver:
            counted = driver.execute_query(
                "MATCH ()-[r]->() RETURN count(r) AS n", database_="neo4j"
            )
        assert counted.records[0]["n"] == expected, counted.records

    def pathlight(self, *words: str) -> tuple[float, float]:
        """Run the command line; its seconds and its peak MB. Raises AssertionError if it fails."""
        domain = self.folder / "shoplike.toml"
        domain.write_text(DOMAIN, "utf-8")
        env = {
            "PATHLIGHT_DOMAIN": str(domain),
            "PATHLIGHT_HOME": str(self.folder / "home"),
            "PATHLIGHT_NEO4J_URI": self.uri,
            "PATHLIGHT_NEO4J_PASSWORD": self.password,
        }
        started = time.perf_counter()
        command = [sys.executable, "-m", "api.cli", *words, "--json"]
        process = subprocess.Popen(command, env=os.environ | env, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        return time.perf_counter() - started, usage.ru_maxrss / 1024


@contextmanager
def empty_graph() -> Generator[Place]:
    """A server of its own for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        server = LocalNeo4j(Path(folder) / "neo4j")
        owner, _ = server.start()
        try:
            uri, password = bolt_uri(owner.port), server.password()
            with Graph(uri, password) as graph:
                create_schema(graph, shoplike_domain())
            yield Place(uri, password, Path(folder))
        finally:
            server.stop()


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
