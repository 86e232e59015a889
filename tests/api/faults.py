"""Servers killed and frozen, and who asks the API meanwhile: a client with a clock, a load."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
import psutil

from api.local.redis_server import LocalRedis
from api.loop.publication import publish
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.local.processes import is_alive, wait_until
from graphdb.local.server import LocalNeo4j
from tests.api.conftest import api_on, until_mapped
from tests.api.versions import build_artifact, fill_graph
from tests.conftest import Neo4jAddress

AT_MOST_S = 2.0
RECOVERY_S = 60.0
LEASE = {"PATHLIGHT_STREAM_LEASE_S": "2"}
COUNT = """
MATCH (:User)-[r:RATED]->(:Item)
WHERE r.event_id STARTS WITH $prefix
RETURN collect(r.event_id) AS ids
"""


class Client:
    """Asks the API and holds every answer against the clock."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **arguments) -> httpx.Response:
        begun = time.monotonic()
        response = self.http.request(method, path, **arguments)
        took = time.monotonic() - begun
        assert took < AT_MOST_S, f"{method} {path}: {took:.2f} s"
        assert response.status_code != 500, response.text
        return response

    def recommend(self, user: str = "p0") -> dict:
        response = self.ask("GET", "/v1/recommendations", params={"user_id": user, "k": 5})
        assert response.status_code == 200, response.text
        return response.json()

    def answers(self) -> bool:
        """Whether it answers at all."""
        return self.http.get("/v1/recommendations", params={"user_id": "p0"}).status_code == 200

    def warm(self) -> bool:
        """Whether it answers from the graph: its first statements may take their time."""
        answer = self.http.get("/v1/recommendations", params={"user_id": "p0"})
        return answer.status_code == 200 and answer.json()["degraded"] == []

    def takes(self) -> bool:
        """Whether the way in works, and answers come from the graph."""
        sent = self.http.post("/v1/events", params={"wait": True}, json=event("works"))
        return sent.status_code == 202 and self.warm()

    def degraded(self) -> list[str]:
        return self.recommend()["degraded"]

    def ready(self) -> int:
        return self.ask("GET", "/health/ready").status_code


class Load:
    """Three senders of batches of ten; each batch again until it is taken, so that it counts."""

    def __init__(self, client: Client, prefix: str) -> None:
        self.prefix, self.taken, self.refused = prefix, set(), 0
        self.seen: set[int] = set()
        self._url = str(client.http.base_url)
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(3)]

    def __enter__(self) -> Self:
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


@contextmanager
def client_of_world(
    graph: Graph, address: Neo4jAddress, home: Path, redis: str
) -> Generator[Client]:
    """A client of an API that serves a small world in an empty graph, with a consumer beside it."""
    fill_graph(graph, load_domain("films"))
    (home / "artifacts").mkdir()
    build_artifact(graph, home / "artifacts" / "v1")
    publish(graph, home / "artifacts" / "v1")
    with api_on(address, home, redis, **LEASE) as api, Client(api) as client:
        until_mapped(api)
        assert wait_until(client.warm, RECOVERY_S, 0.2)
        yield client


def event(event_id: str, user: str = "p0", item: str = "3") -> dict:
    return {
        "event_id": event_id,
        "event_type": "rated",
        "user_id": user,
        "item_id": item,
        "occurred_at": "2026-01-05T20:15:00Z",
    }


def stored(graph: Graph, prefix: str) -> list[str]:
    return graph.read(COUNT, prefix=prefix)[0]["ids"]


def kill(server: LocalRedis | LocalNeo4j) -> None:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(owner.child), 20)


@contextmanager
def frozen(server: LocalRedis | LocalNeo4j) -> Generator[None]:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(owner.pid, signal.SIGCONT)


def api_pid(client: Client) -> int:
    port = client.http.base_url.port
    connections = psutil.net_connections("tcp")
    listening = [c for c in connections if c.status == "LISTEN" and c.laddr.port == port]
    assert listening and listening[0].pid
    return listening[0].pid


def consumer_of(client: Client) -> psutil.Process:
    (process,) = [p for p in psutil.Process().children() if "api.consumer" in p.cmdline()]
    return process
