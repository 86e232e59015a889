"""Events while their stream or their graph is killed, frozen or full: real processes and signals.

Whatever was answered 202 must be in the graph in the end, once.
"""

import resource
from collections.abc import Iterator

import pytest
from redis import Redis

from api.local.redis_server import LocalRedis, redis_uri
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.local.processes import is_alive, wait_until
from graphdb.local.server import LocalNeo4j, bolt_uri
from graphdb.schema import create_schema
from tests.api.faults import (
    RECOVERY_S,
    Client,
    Load,
    client_of_world,
    event,
    frozen,
    kill,
    stored,
)
from tests.conftest import Neo4jAddress

pytestmark = pytest.mark.faults


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
    """In place of the run's: this module's server, which is empty."""
    owner, _ = server.start()
    with Graph(bolt_uri(owner.port), server.password()) as graph:
        create_schema(graph, load_domain("films"))
        yield graph


@pytest.fixture(scope="module")
def client(graph, server, redis, tmp_path_factory) -> Iterator[Client]:
    """A client of an API on both servers, which each test leaves running."""
    queue, _ = redis.start()
    url = redis_uri(queue.port, redis.password())
    neo4j = server.owner()
    assert neo4j
    address = Neo4jAddress(bolt_uri(neo4j.port), "neo4j", server.password())
    with client_of_world(graph, address, tmp_path_factory.mktemp("home"), url) as client:
        yield client


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
    assert wait_until(client.takes, RECOVERY_S, 0.2)


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
    with frozen(redis), Load(client, "f") as load:
        load.until(lambda load: load.refused > 3)
        refused_quickly(client)
        refused_quickly(client, wait=True)
        for _ in range(20):
            client.recommend()
        answers_go_on(client)
        unkept = client.ask("POST", "/v1/recommendations", json={"user_id": "p0"}).json()
        metrics = client.http.get("/metrics").text

    assert (unkept["recommendation_id"], unkept["degraded"]) == (None, ["served"])
    assert len(unkept["items"]) == 10
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
