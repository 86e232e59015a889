"""Events into the graph: a file, the same again, batches over HTTP, and one at a time.

    python -m benchmarks.ingest [--events 1000000] [--rounds 3] [--rest 500000] [--requests 500]

ingest.bulk is `pathlight import` of a Parquet file into an empty graph, from the start of the
program to its end; its reference the fastest bare loop (benchmarks.bare_loop) on rows that are in
memory already, into an empty graph too. Each round does all of them, and the medians are printed.
ingest.again is a file of other bytes with the same events, all duplicates, beside the first.
ingest.rss is the peak memory of the importing process. ingest.rest is beside ingest.bulk, and
ingest.single.p50 beside an endpoint that does one XADD (benchmarks.ingest_rest).
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil

from benchmarks.bare_loop import Batch, bare_driver, create_loop, in_memory, look_up_loop
from benchmarks.figures import show
from benchmarks.ingest_rest import measure_batches, measure_single
from benchmarks.shop_stack import shop_stack
from benchmarks.shoplike import ShopLike
from graphdb.connection import Graph

COUNT = "MATCH ()-[r]->() RETURN count(r) AS events"
SAMPLE_S = 0.05
LOOPS = (look_up_loop, create_loop)


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rest", type=int, default=500_000, help="events sent in batches")
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
        data.write_parquet(second, compression="gzip")
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
        with shop_stack(parts=()) as (stack, graph), bare_driver(stack.neo4j) as driver:
            taken.loops[loop.__name__].append(_seconds(partial(loop, driver, batches)))
            check(graph, data.events)
    with shop_stack(parts=()) as (stack, graph):
        for path, took in ((first, taken.bulk), (second, taken.again)):
            seconds, megabytes = pathlight(stack.env, "import", str(path))
            took.append(seconds)
            taken.rss_mb = max(taken.rss_mb, megabytes)
            check(graph, data.events)


def check(graph: Graph, expected: int) -> None:
    """Raise AssertionError unless there are so many events."""
    counted = graph.read(COUNT)[0]["events"]
    assert counted == expected, counted


def pathlight(env: Mapping[str, str], *words: str) -> tuple[float, float]:
    """Run the command line; its seconds and its peak MB. Raises AssertionError if it fails."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "api.cli", *words, "--json"]
    process = psutil.Popen(command, env=env, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        # What getrusage tells of a child counts the memory of whoever started it.
        with suppress(psutil.Error):
            peak = max(peak, process.memory_info().rss)
        time.sleep(SAMPLE_S)
    assert process.returncode == 0, words
    return time.perf_counter() - started, peak / 2**20


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
