"""Events over HTTP: one at a time against a bare endpoint that does one XADD, and batches.

    python -m benchmarks.ingest_rest [--requests 500] [--rows 200000] [--home DIRECTORY]

`ingest.single.p50` is one client's p50 beside that of the bare endpoint in the same run,
interleaved; both have their rows on disk when they answer. `ingest.rest` is rows a second from the
first request of four clients, batches of 500, until the graph has the last row;
`ingest.rest.visible` how long after the last 202 that was.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from api.parts import API, CONSUMER
from api.settings import Settings
from api.stack import Stack, running
from api.terminal import Steps
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import load_domain
from graphdb.partitions import list_partitions
from graphdb.processes import choose_port
from graphdb.schema import create_schema
from ingest.stream import EventStream

SEED = 1
WARM_UP = 50
READY_S = 30
CLIENTS, BATCH = 4, 500
PEOPLE, ITEMS = 50_000, 20_000


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500, help="of each kind, one at a time")
    parser.add_argument("--rows", type=int, default=200_000, help="sent in batches")
    parser.add_argument("--home", type=Path, default=Path(".pathlight/benchmark-ingest-rest"))
    options = parser.parse_args()
    settings = Settings(home=options.home)
    print(f"seed {SEED}", file=sys.stderr)
    with Steps() as steps, running(settings, Neo4jSettings(), steps.advance, (CONSUMER, API)) as s:
        with Graph.from_settings(s.neo4j) as graph:
            create_schema(graph, load_domain(settings.domain))
            rate, visible = measure_batches(s, graph, options.rows)
        _print("ingest.rest", rate, "rows/s")
        _print("ingest.rest.visible", visible, "s")
        measure_single(s, options.requests)


def measure_single(stack: Stack, requests: int) -> None:
    """One event at a time on both sides, a request each in turn; print the two medians."""
    rows = events("single", WARM_UP + requests)
    taken: dict[str, list[float]] = {"bare": [], "ours": []}
    with bare_stream(stack) as bare, httpx.Client(trust_env=False) as client:
        urls = {"bare": f"{bare}/one", "ours": f"{stack.api_url}/v1/events"}
        for number, row in enumerate(rows):
            for kind, url in urls.items():
                started = time.perf_counter()
                client.post(url, json=row).raise_for_status()
                if number >= WARM_UP:
                    taken[kind].append((time.perf_counter() - started) * 1000)
    ours, reference = (statistics.median(taken[kind]) for kind in ("ours", "bare"))
    _print("ingest.single.p50", ours, "ms", reference)


def measure_batches(stack: Stack, graph: Graph, count: int) -> tuple[float, float]:
    """Rows a second from the first request until the graph has all, and seconds of it after the
    last 202. Raises AssertionError when a row is missing at the end."""
    rows = list(events(f"batch-{time.time_ns()}", count))
    batches = [json.dumps(rows[n : n + BATCH]) for n in range(0, count, BATCH)]
    stream = EventStream(stack.redis_url)
    _until_caught_up(graph, stream)
    before = _written(graph)
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = threading.local()
        list(pool.map(lambda batch: _send(clients, stack.api_url, batch), batches))
    answered = time.perf_counter()
    _until_caught_up(graph, stream)
    ended = time.perf_counter()
    stream.close()
    assert _written(graph) - before == count
    return count / (ended - started), ended - answered


def events(prefix: str, count: int) -> Iterator[dict[str, Any]]:
    """Ratings by people and of items drawn as from a shop: few have many, most have few."""
    rng = random.Random(SEED)
    people = rng.choices(range(PEOPLE), [1 / (n + 50) for n in range(PEOPLE)], k=count)
    items = rng.choices(range(ITEMS), [1 / (n + 20) for n in range(ITEMS)], k=count)
    for number, (person, item) in enumerate(zip(people, items, strict=True)):
        yield {
            "event_id": f"{prefix}-{number}",
            "event_type": "rated",
            "user_id": f"user-{person}",
            "item_id": f"item-{item}",
            "occurred_at": 1_760_000_000 + number,
            "value": 1 + number % 5,
        }


def _send(clients: threading.local, api: str, batch: str) -> None:
    if not hasattr(clients, "http"):
        clients.http = httpx.Client(trust_env=False, timeout=60)
    headers = {"Content-Type": "application/json"}
    answer = clients.http.post(f"{api}/v1/events", content=batch, headers=headers)
    assert answer.raise_for_status().json()["accepted"] == BATCH, answer.text


def _until_caught_up(graph: Graph, stream: EventStream) -> None:
    while not _caught_up(graph, stream):
        time.sleep(0.02)


def _caught_up(graph: Graph, stream: EventStream) -> bool:
    offsets = {row["partition"]: row["offset"] for row in list_partitions(graph)}
    return all(
        offsets.get(partition, -1) >= backlog.appended
        for partition, backlog in enumerate(stream.backlog())
        if backlog.appended
    )


def _written(graph: Graph) -> int:
    return sum(row["events"] for row in list_partitions(graph))


def _print(name: str, value: float, unit: str, reference: float | None = None) -> None:
    figure: dict[str, Any] = {"name": name, "value": round(value, 3), "unit": unit}
    figure["reference"] = reference if reference is None else round(reference, 3)
    figure["ratio"] = reference and value / reference
    print(json.dumps(figure), flush=True)


@contextmanager
def bare_stream(stack: Stack) -> Generator[str]:
    """The reference under one uvicorn process; gives its address."""
    port = choose_port(0)
    command = ["uvicorn", "--factory", "benchmarks.bare_stream:create_app", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--no-access-log", "--log-level", "warning"],
        env={**os.environ, **stack.env},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.post(f"{url}/one", json={"a": 1}, trust_env=False).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    sys.exit("the bare endpoint did not start")


if __name__ == "__main__":
    main()
