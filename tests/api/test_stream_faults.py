"""Events while their stream or their graph is killed, frozen or full: real processes and signals.

Whatever was answered 202 must be in the graph in the end, once.
"""

import gzip
import itertools
import json
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import psutil
import pytest
from redis import Redis

from api.publication import publish
from api.redis_server import LocalRedis, redis_uri
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.processes import is_alive, wait_until
from graphdb.schema import create_schema
from graphdb.server import LocalNeo4j, bolt_uri
from tests.api.conftest import api_on, until_mapped
from tests.api.test_faults import RECOVERY_S, Client, api_pid
from tests.api.versions import build_artifact, fill_graph
from tests.conftest import Neo4jAddress

pytestmark = pytest.mark.faults

COUNT = """
MATCH (:User)-[r:RATED]->(:Item)
WHERE r.event_id STARTS WITH $prefix
RETURN collect(r.event_id) AS ids
"""
LEASE = {"PATHLIGHT_STREAM_LEASE_S": "2"}
SLOW_SOCKETS = 10_000


def event(event_id: str, user: str = "p0") -> dict:
    return {
        "event_id": event_id,
        "event_type": "rated",
        "user_id": user,
        "item_id": "3",
        "occurred_at": "2026-01-05T20:15:00Z",
    }


@pytest.fixture(scope="module")
def redis(tmp_path_factory) -> Iterator[LocalRedis]:
    """A Redis of this module's own: the others' must not be killed."""
    server = LocalRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory, neo4j_version: str) -> Iterator[LocalNeo4j]:
    server = LocalNeo4j(tmp_path_factory.mktemp("neo4j"), neo4j_version)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def graph(server) -> Iterator[Graph]:
    """In place of the run's: this module's server, with a small world in it."""
    owner, _ = server.start()
    domain = load_domain("films")
    with Graph(bolt_uri(owner.port), server.password()) as graph:
        create_schema(graph, domain)
        fill_graph(graph, domain)
        yield graph


@pytest.fixture(scope="module")
def client(graph, server, redis, tmp_path_factory) -> Iterator[Client]:
    """A client of an API that serves that world, with a consumer beside it; each test leaves both
    servers running."""
    home = tmp_path_factory.mktemp("home")
    (home / "artifacts").mkdir()
    build_artifact(graph, home / "artifacts" / "v1")
    publish(graph, home / "artifacts" / "v1")
    queue, _ = redis.start()
    url = redis_uri(queue.port, redis.password())
    neo4j = server.owner()
    assert neo4j
    address = Neo4jAddress(bolt_uri(neo4j.port), "neo4j", server.password())
    with api_on(address, home, url, **LEASE) as api, Client(api) as client:
        until_mapped(api)
        assert wait_until(client.warm, RECOVERY_S, 0.2)
        yield client


def kill(server: LocalRedis | LocalNeo4j) -> None:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(owner.child), 20)


@contextmanager
def frozen(server: LocalRedis) -> Iterator[None]:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(owner.pid, signal.SIGCONT)


class Load:
    """Three senders of batches of ten; each batch again until it is taken, so that it counts."""

    def __init__(self, client: Client, prefix: str) -> None:
        self.prefix, self.taken, self.refused = prefix, set(), 0
        self.seen: set[int] = set()
        self._url = str(client.http.base_url)
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(3)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def until(self, done: Callable[["Load"], bool]) -> None:
        assert wait_until(lambda: done(self), RECOVERY_S, 0.05)

    def _send(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=30) as http:
            while not self._stopped.is_set():
                number = next(self._numbers)
                ids = [f"{self.prefix}{number}-{n}" for n in range(10)]
                rows = [event(one, f"u{n}") for n, one in enumerate(ids)]
                answer = http.post("/v1/events", json=rows)
                self.seen.add(answer.status_code)
                if answer.status_code == 202:
                    self.taken |= set(ids)
                else:
                    self.refused += 1
                time.sleep(0.02)


def stored(graph: Graph, prefix: str) -> list[str]:
    return graph.read(COUNT, prefix=prefix)[0]["ids"]


def all_there_once(graph: Graph, load: Load) -> None:
    """Everything that was acknowledged is there, once; what was refused may be there, once."""
    assert load.taken
    assert wait_until(lambda: load.taken <= set(stored(graph, load.prefix)), RECOVERY_S, 0.2)
    ids = stored(graph, load.prefix)
    assert len(ids) == len(set(ids))
    counts = graph.read(
        "MATCH (s:Source) WHERE s.id STARTS WITH 'stream:' RETURN sum(s.events) AS n"
    )
    linked = graph.read(
        "MATCH (:User)-[r]->(:Item) WHERE r.source STARTS WITH 'stream:' RETURN count(r) AS n"
    )
    assert counts == linked


def refused_quickly(client: Client, event_id: str = "refused", **params) -> None:
    answer = client.ask("POST", "/v1/events", json=event(event_id), params=params)
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1


def answers_go_on(client: Client) -> None:
    """Each within two seconds, and from the graph: a busy machine may need another try."""
    assert wait_until(lambda: client.degraded() == [], 20, 0.1)


@pytest.fixture(autouse=True)
def up(client, server, redis) -> None:
    """Both servers as before, whatever the last test has left, and the way in works."""
    server.start()
    redis.start()

    def works() -> bool:
        sent = client.http.post("/v1/events", params={"wait": True}, json=event("works"))
        return sent.status_code == 202 and client.warm()

    assert wait_until(works, RECOVERY_S, 0.2)


def test_a_graph_killed_under_load_gets_everything_that_was_kept(client, graph, server):
    with Load(client, "g") as load:
        load.until(lambda load: len(load.taken) > 100)
        kill(server)
        taken = len(load.taken)
        load.until(lambda load: len(load.taken) > taken + 200)
        refused_quickly(client, wait=True)
        assert client.recommend()["degraded"] == ["graph"]
        server.start()
        load.until(lambda load: len(load.taken) > taken + 400)

    assert load.seen == {202}
    all_there_once(graph, load)
    assert "refused" in stored(graph, "refused")


def test_a_stream_killed_under_load_loses_nothing_that_was_acknowledged(client, graph, redis):
    with Load(client, "r") as load:
        load.until(lambda load: len(load.taken) > 100)
        kill(redis)
        load.until(lambda load: load.refused > 3)
        refused_quickly(client)
        refused_quickly(client, wait=True)
        answers_go_on(client)
        redis.start()
        taken = len(load.taken)
        load.until(lambda load: len(load.taken) > taken + 200)

    assert load.seen == {202, 503}
    all_there_once(graph, load)


def test_a_frozen_stream_is_a_503_within_two_seconds_and_answers_go_on(client, graph, redis):
    with frozen(redis), ExitStack() as block:
        load = block.enter_context(Load(client, "f"))
        load.until(lambda load: load.refused > 3)
        refused_quickly(client)
        refused_quickly(client, wait=True)
        for _ in range(20):
            client.recommend()
        answers_go_on(client)
        metrics = client.http.get("/metrics").text

    assert 'pathlight_up{part="stream"} 0.0' in metrics
    assert 'pathlight_up{part="graph"} 1.0' in metrics
    assert wait_until(
        lambda: client.http.post("/v1/events", json=event("thawed")).status_code == 202, 20, 0.2
    )
    assert wait_until(lambda: stored(graph, "thawed") == ["thawed"], RECOVERY_S, 0.2)


def test_a_full_stream_is_a_503_and_takes_events_when_there_is_room(client, graph, redis):
    url = redis_uri(redis.owner().port, redis.password())
    with Redis.from_url(url) as connection:
        connection.config_set("maxmemory", "1mb")
        try:
            refused_quickly(client, "full")
            refused_quickly(client, "full", wait=True)
            answers_go_on(client)
        finally:
            connection.config_set("maxmemory", "0")

    sent = client.http.post("/v1/events", json=event("room"), params={"wait": True})

    assert (sent.status_code, sent.json()["accepted"]) == (202, 1)
    assert stored(graph, "full") == []


def test_a_full_disk_is_a_503_and_nothing_acknowledged_is_lost(client, graph, redis):
    """Full for Redis: its file may not grow."""
    owner = redis.owner()
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with Load(client, "d") as load:
        load.until(lambda load: len(load.taken) > 100)
        resource.prlimit(owner.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        load.until(lambda load: load.refused > 3)
        refused_quickly(client, "no room")
        refused_quickly(client, "no room", wait=True)
        answers_go_on(client)
        if is_alive(owner.child):
            resource.prlimit(owner.pid, resource.RLIMIT_FSIZE, unlimited)
        redis.start()
        taken = len(load.taken)
        load.until(lambda load: len(load.taken) > taken + 200)

    assert load.seen == {202, 503}
    all_there_once(graph, load)


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


def test_an_emptied_stream_begins_again_and_nothing_new_is_skipped(client, graph, redis):
    rows = [event(f"e{n}", f"u{n}") for n in range(50)]
    assert client.http.post("/v1/events", json=rows, params={"wait": True}).json()["accepted"] == 50
    url = redis_uri(redis.owner().port, redis.password())
    with Redis.from_url(url) as connection:
        connection.flushdb()

    later = [event(f"e{n}", f"u{n}") for n in range(40, 70)]
    answer = client.http.post("/v1/events", json=later, params={"wait": True})

    assert answer.status_code == 202, answer.text
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (20, 10)
    assert sorted(stored(graph, "e")) == sorted(f"e{n}" for n in range(70))


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


def consumer_of(client: Client) -> psutil.Process:
    (process,) = [p for p in psutil.Process().children() if "api.consumer" in p.cmdline()]
    return process


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
