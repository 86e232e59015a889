"""Senders that are slow, wait in vain, send bombs or take back: nobody else is held up.

On the run's servers, of which none is harmed, with a real API and a real consumer.
"""

import gzip
import json
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.local.processes import wait_until
from graphdb.schema import create_schema
from tests.api.faults import (
    RECOVERY_S,
    Client,
    api_pid,
    client_of_world,
    consumer_of,
    event,
    stored,
)
from tests.conftest import empty_stream_of
from tests.wiping import wipe

pytestmark = pytest.mark.faults

SLOW_SOCKETS = 10_000


@pytest.fixture(scope="module")
def graph(neo4j_address) -> Iterator[Graph]:
    """The run's, emptied once: all tests of this module share a world and an API."""
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, load_domain("films"))
        yield graph


@pytest.fixture(scope="module")
def client(graph, neo4j_address, redis_url, tmp_path_factory) -> Iterator[Client]:
    empty_stream_of(redis_url)
    home = tmp_path_factory.mktemp("home")
    with client_of_world(graph, neo4j_address, home, redis_url) as client:
        yield client


@pytest.fixture(autouse=True)
def up(client) -> None:
    """The way in works, whatever the last test has left."""
    assert wait_until(client.takes, RECOVERY_S, 0.2)


def test_an_event_taken_back_while_it_waits_never_comes(client, graph):
    """204 at once, whether the event is there, waits, comes later or never: it stays away."""
    rows = [event(f"back{n}") for n in range(4)]
    consumer = consumer_of(client)
    consumer.suspend()
    try:
        sent = client.http.post("/v1/events", json=rows[:3])
        taken_back = [client.http.delete(f"/v1/events/rated/back{n}") for n in (0, 2, 3)]
    finally:
        consumer.resume()
    later = client.http.post("/v1/events", json=[rows[0], rows[3]], params={"wait": True})

    assert (sent.status_code, sent.json()["accepted"]) == (202, 3)
    assert [answer.status_code for answer in taken_back] == [204] * 3
    assert [row["code"] for row in later.json()["rejected"]] == ["dropped", "dropped"]
    assert stored(graph, "back") == ["back1"]


def test_waiting_for_a_consumer_that_is_not_there_holds_nobody_up(client, graph):
    """More waiters than there are threads for events: answers and other events go on."""
    consumer = consumer_of(client)
    consumer.suspend()
    statuses: list[int] = []

    def wait(number: int) -> None:
        with httpx.Client(base_url=client.http.base_url, trust_env=False, timeout=60) as http:
            answer = http.post("/v1/events", json=event(f"waits{number}"), params={"wait": True})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(60)]
    try:
        for thread in threads:
            thread.start()
        for n in range(10):
            client.recommend()
            sent = client.http.post("/v1/events", json=event(f"o{n}"))
            assert sent.status_code == 202
    finally:
        consumer.resume()
    for thread in threads:
        thread.join()

    assert set(statuses) <= {202, 503}
    assert wait_until(lambda: len(stored(graph, "waits")) == 60, RECOVERY_S, 0.2)


def test_thousands_of_slow_senders_hold_nobody_up(client):
    port = client.http.base_url.port
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    head = (
        b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        b"Content-Length: 1000000\r\n\r\n{"
    )
    with ExitStack() as block:
        sockets = []
        for _ in range(min(SLOW_SOCKETS, allowed - 1000)):
            slow = block.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            slow.sendall(head)
            sockets.append(slow)
        # That so many come, and go, at once may take a while; while they stay nobody waits.
        assert wait_until(client.warm, RECOVERY_S, 0.2)
        for round_ in range(5):
            for slow in sockets[round_ :: len(sockets) // 200]:
                slow.sendall(b" ")
            client.recommend()
            sent = client.ask("POST", "/v1/events", json=event(f"slow{round_}"))
            assert sent.status_code == 202
        assert sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert wait_until(client.warm, RECOVERY_S, 0.2)


def test_a_gzip_bomb_is_refused_and_memory_stays_bounded(client):
    process = psutil.Process(api_pid(client))
    bomb = gzip.compress(b"0" * (300 << 20), 9)
    nested = b"[" * (20 << 20)
    values = b"[" + b"[]," * (8 << 20) + b"[]]"
    before, peak, stopped = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not stopped.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses = []
    for kind, content, packed in (
        ("application/json", bomb, True),
        ("application/x-ndjson", bomb, True),
        ("application/json", nested, False),
        ("application/x-ndjson", nested, False),
        ("application/json", values, False),
        ("application/json", gzip.compress(values), True),
    ):
        headers = {"Content-Type": kind, **({"Content-Encoding": "gzip"} if packed else {})}
        answer = client.http.post("/v1/events", content=content, headers=headers)
        statuses.append(answer.status_code)
    stopped.set()
    watcher.join()

    assert statuses == [413, 413, 422, 202, 413, 413]
    assert peak[0] - before < 250 << 20
    assert json.loads(client.http.get("/health/live").text) == {"status": "alive"}
