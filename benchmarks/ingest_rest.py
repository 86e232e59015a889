"""Events over HTTP, measured for benchmarks.ingest: batches, and one event at a time.

Batches: rows a second from the first request of four clients, 500 rows each, until the graph has
the last one; and how long after the last 202 that was. One at a time: one client's p50 beside that
of a bare endpoint in the same run, interleaved; both have their rows on disk when they answer.
"""

import json
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from api.local.stack import Stack
from benchmarks.bare_server import bare_server
from benchmarks.shoplike import ShopLike
from graphdb.connection import Graph
from graphdb.events.partitions import list_partitions
from ingest.stream.stream import EventStream

WARM_UP = 50
CLIENTS, BATCH = 4, 500


def measure_single(stack: Stack, requests: int) -> tuple[float, float]:
    """One event at a time on both sides, a request each in turn: the medians in ms, ours and the
    bare endpoint's."""
    rows = events(f"single-{time.time_ns()}", WARM_UP + requests)
    taken: dict[str, list[float]] = {"bare": [], "ours": []}
    with bare_server(stack, "bare_stream") as bare, httpx.Client(trust_env=False) as client:
        urls = {"bare": f"{bare}/one", "ours": f"{stack.api_url}/v1/events"}
        for number, row in enumerate(rows):
            for kind, url in urls.items():
                started = time.perf_counter()
                client.post(url, json=row).raise_for_status()
                if number >= WARM_UP:
                    taken[kind].append((time.perf_counter() - started) * 1000)
    return statistics.median(taken["ours"]), statistics.median(taken["bare"])


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
    """A shop's events as an application sends them, their ids of this run's own."""
    for row in ShopLike(events=count).rows():
        sent = {name: row[name] for name in ("event_type", "user_id", "item_id")}
        yield {
            **sent,
            "event_id": f"{prefix}-{row['event_id']}",
            "occurred_at": row["at"] / 1_000_000,
            "value": row["value"],
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
