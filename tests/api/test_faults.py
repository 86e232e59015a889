"""Serving while its graph is killed, frozen or absent: real processes, real signals."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self

import httpx
import psutil
import pytest

from api.publication import publish
from graphdb.connection import Graph
from graphdb.processes import is_alive, wait_until
from graphdb.schema import create_schema
from graphdb.server import LocalNeo4j, bolt_uri
from graphdb.versions import begin_version, fetch_serving, list_versions
from tests.api.conftest import api_on
from tests.api.versions import build_artifact
from tests.conftest import Neo4jAddress, wipe

pytestmark = pytest.mark.faults

AT_MOST_S = 2.0
RECOVERY_S = 60.0
EVENT = {
    "event_id": "e1",
    "event_type": "rated",
    "user_id": "p0",
    "item_id": "3",
    "occurred_at": "2026-01-05T20:15:00Z",
}


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

    def warm(self) -> bool:
        """Whether it answers from the graph: its first statements may take their time."""
        answer = self.http.get("/v1/recommendations", params={"user_id": "p0"})
        return answer.status_code == 200 and answer.json()["degraded"] == []

    def degraded(self) -> list[str]:
        return self.recommend()["degraded"]

    def ready(self) -> int:
        return self.ask("GET", "/health/ready").status_code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, neo4j_version: str) -> Iterator[LocalNeo4j]:
    """A Neo4j of this module's own: the others' must not be killed."""
    server = LocalNeo4j(tmp_path_factory.mktemp("neo4j"), neo4j_version)
    yield server
    server.stop()


@pytest.fixture
def graph(server: LocalNeo4j, domain) -> Iterator[Graph]:
    """In place of the run's: this module's server, up again, and empty."""
    owner, _ = server.start()
    with Graph(bolt_uri(owner.port), server.password()) as graph:
        wipe(graph)
        create_schema(graph, domain)
        yield graph


@pytest.fixture
def start_api(server: LocalNeo4j, graph, artifacts, empty_stream: str) -> Callable:
    owner = server.owner()
    assert owner
    address = Neo4jAddress(bolt_uri(owner.port), "neo4j", server.password())
    return lambda: api_on(address, artifacts.parent, empty_stream)


@pytest.fixture
def client(world, start_api) -> Iterator[Client]:
    """A client of an API that has mapped v1."""
    with start_api() as url, Client(url) as client:
        assert wait_until(client.warm, 30, 0.2)
        yield client


def kill(server: LocalNeo4j) -> None:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(owner.child), 20)


@pytest.fixture
def frozen(server: LocalNeo4j, graph) -> Iterator[Callable]:
    """Freeze the server by calling it; it thaws by calling what that returns, or at the end."""
    pid = server.owner().pid

    def freeze() -> Callable:
        os.kill(pid, signal.SIGSTOP)
        return lambda: os.kill(pid, signal.SIGCONT)

    yield freeze
    os.kill(pid, signal.SIGCONT)


def test_a_killed_graph_is_noticed_answered_without_and_found_again(client, server):
    personal = client.recommend()
    kill(server)

    answers = [client.recommend() for _ in range(10)]
    similar = client.ask("GET", "/v1/items/3/similar", params={"k": 5}).json()
    stranger = client.recommend("nobody")
    refused = client.ask("POST", "/v1/events", json=EVENT, params={"wait": True})
    kept = client.ask("POST", "/v1/events", json=EVENT)

    assert personal["degraded"] == []
    assert {tuple(a["degraded"]) for a in answers} == {("graph",)}
    assert {a["model_version"] for a in [*answers, similar, stranger]} == {"v1"}
    ids = [item["id"] for item in personal["items"]]
    assert [[item["id"] for item in a["items"]] for a in answers] == [ids] * 10
    assert (similar["degraded"], len(similar["items"])) == (["graph"], 5)
    assert (stranger["fallback"], len(stranger["items"])) == ("cold_start", 5)
    assert (refused.status_code, kept.status_code) == (503, 202)
    assert "the events are kept" in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert client.ready() == 503
    assert client.ask("GET", "/health/live").status_code == 200

    server.start()
    assert wait_until(lambda: client.degraded() == [], RECOVERY_S, 0.2)
    assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
    assert wait_until(lambda: sent_again(client, [EVENT]) is not None, RECOVERY_S, 0.2)
    assert sent_again(client, [EVENT]) == (0, 1)


def sent_again(client: Client, rows: list[dict]) -> tuple[int, int] | None:
    """Accepted and duplicates as the graph has them; None while it is behind."""
    answer = client.http.post("/v1/events", json=rows, params={"wait": True})
    if answer.status_code == 503:
        return None
    return answer.json()["accepted"], answer.json()["duplicates"]


def test_a_frozen_graph_holds_nobody_up_and_no_thread_for_ever(client, frozen, graph):
    process = psutil.Process(api_pid(client))
    thaw = frozen()

    def ask(number: int) -> tuple[int, list[str]]:
        if number % 10 == 0:
            event = {**EVENT, "event_id": f"f{number}"}
            sent = client.ask("POST", "/v1/events", json=event, params={"wait": True})
            return sent.status_code, ["graph"]
        if number % 10 == 1:
            return client.ready(), ["graph"]
        return 200, client.recommend(f"p{number % 12}")["degraded"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(100)))
    quick = [clock(client.recommend) for _ in range(20)]
    threads = process.num_threads()
    time.sleep(5)

    assert {degraded == ["graph"] for _, degraded in answers} == {True}
    assert [status for status, _ in answers[::10]] == [503] * 10
    assert [status for status, _ in answers[1::10]] == [503] * 10
    assert sorted(quick)[len(quick) // 2] < 0.3
    assert process.num_threads() - threads < 8
    assert client.ask("GET", "/health/live").status_code == 200

    thaw()
    assert wait_until(lambda: client.degraded() == [], RECOVERY_S, 0.2)
    assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
    # All of it was kept; sent again it counts once.
    again = [{**EVENT, "event_id": f"f{number}"} for number in range(0, 100, 10)]
    assert wait_until(lambda: sent_again(client, again) == (0, 10), RECOVERY_S, 0.2)
    count = "MATCH ()-[r:RATED]->() WHERE r.event_id STARTS WITH 'f' RETURN count(r) AS n"
    assert graph.read(count) == [{"n": 10}]


def clock(work: Callable) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def api_pid(client: Client) -> int:
    port = client.http.base_url.port
    connections = psutil.net_connections("tcp")
    listening = [c for c in connections if c.status == "LISTEN" and c.laddr.port == port]
    assert listening and listening[0].pid
    return listening[0].pid


def test_an_api_started_without_its_graph_says_so_and_finds_it_later(world, start_api, server):
    kill(server)

    with start_api() as url, Client(url) as client:
        for method, path in (
            ("GET", "/v1/recommendations?user_id=p0"),
            ("GET", "/v1/items/3/similar"),
        ):
            refused = client.ask(method, path)
            assert refused.status_code == 503, refused.text
            assert refused.headers["content-type"] == "application/problem+json"
            assert "retry-after" in refused.headers
        sent = client.ask("POST", "/v1/events", json=EVENT, params={"wait": True})
        assert sent.status_code == 503
        assert client.ready() == 503
        assert client.ask("GET", "/health/live").status_code == 200

        server.start()
        assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
        assert wait_until(client.warm, 10, 0.2)
        assert client.ask("GET", refused.url.path).status_code == 200
        assert client.recommend()["model_version"] == "v1"


def test_an_api_started_again_without_its_graph_answers_from_what_served_last(
    client, start_api, server, artifacts
):
    assert wait_until((artifacts.parent / "serving.json").exists, 30)
    kill(server)

    with start_api() as url, Client(url) as again:
        answer = again.recommend()
        similar = again.ask("GET", "/v1/items/3/similar").json()
        server.start()
        assert wait_until(again.warm, RECOVERY_S, 0.2)
        back = again.recommend()

    assert (answer["model_version"], answer["degraded"]) == ("v1", ["graph"])
    assert (answer["fallback"], len(answer["items"])) == ("cold_start", 5)
    assert (similar["degraded"], len(similar["items"]) > 0) == (["graph"], True)
    assert (back["model_version"], back["degraded"], back["fallback"]) == ("v1", [], None)


def test_a_version_whose_files_are_missing_leaves_the_one_in_memory(
    client, graph, artifacts, tmp_path
):
    build_artifact(graph, tmp_path / "elsewhere" / "v2", seed=5)
    publish(graph, tmp_path / "elsewhere" / "v2")

    answer = client.recommend()
    similar = client.ask("GET", "/v1/items/3/similar")

    assert (answer["model_version"], answer["degraded"]) == ("v1", ["artifact"])
    assert len(answer["items"]) == 5
    assert similar.status_code == 200
    assert similar.json()["model_version"] == "v2"  # its weights are in the graph
    shutil.copytree(tmp_path / "elsewhere" / "v2", artifacts / "v2")
    assert wait_until(lambda: client.degraded() == [], 20, 0.2)
    assert client.recommend()["model_version"] == "v2"


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_with_no_readable_version_the_graph_says_what_is_popular(
    world, start_api, artifacts, damage
):
    if damage == "missing":
        shutil.rmtree(artifacts / "v1")
    else:
        (artifacts / "v1" / "items.parquet").write_bytes(b"torn")

    with start_api() as url, Client(url) as client:
        answer = client.recommend()

        assert (answer["model_version"], answer["degraded"]) == (None, ["artifact"])
        assert len(answer["items"]) == 5
        assert wait_until(lambda: client.ready() == 200, 30, 0.2)


def test_rollback_changes_the_version_of_the_next_answer(
    client, graph, artifacts, server, redis_url, project
):
    build_artifact(graph, artifacts / "v2", seed=5)
    publish(graph, artifacts / "v2")
    before = client.recommend()

    owner = server.owner()
    assert owner
    env = {
        "PATHLIGHT_HOME": str(artifacts.parent),
        "PATHLIGHT_NEO4J_URI": bolt_uri(owner.port),
        "PATHLIGHT_NEO4J_PASSWORD": server.password(),
        "PATHLIGHT_REDIS_URL": redis_url,
    }
    command = [sys.executable, "-m", "api.cli", "rollback"]
    done = subprocess.run(
        command, cwd=project, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    after = client.recommend()

    assert done.returncode == 0, done.stderr
    assert "version v1 serves again" in done.stdout
    assert (before["model_version"], after["model_version"]) == ("v2", "v1")
    assert (before["degraded"], after["degraded"]) == ([], [])


PUBLISHER = """
import os, signal, sys
from pathlib import Path
from api.publication import publish
from graphdb.connection import Graph, Neo4jSettings

def progress(step, done, total):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

with Graph.from_settings(Neo4jSettings()) as graph:
    publish(graph, Path(sys.argv[1]), fence=1, progress=progress)
"""


@pytest.mark.parametrize("step", ["clear", "items", "users", "similar", "index", "probe", "flip"])
def test_a_publisher_killed_at_any_step_leaves_old_or_new_and_the_next_finishes(
    graph, world, artifacts, server, project, step
):
    build_artifact(graph, artifacts / "v2", seed=5)
    owner = server.owner()
    assert owner
    env = {
        "PATHLIGHT_NEO4J_URI": bolt_uri(owner.port),
        "PATHLIGHT_NEO4J_PASSWORD": server.password(),
    }
    command = [sys.executable, "-c", PUBLISHER, str(artifacts / "v2"), step]
    killed = subprocess.run(command, cwd=project, env={**os.environ, **env}, check=False)

    assert killed.returncode == -signal.SIGKILL
    served = fetch_serving(graph)
    assert served and served["id"] == ("v2" if step == "flip" else "v1")
    if step != "flip":
        publish(graph, artifacts / "v2", fence=2)
    held = {row["id"]: (row["state"], row["share"]) for row in list_versions(graph)}
    assert held == {"v2": ("serving", 1.0), "v1": ("standby", None)}


def test_a_slot_abandoned_by_a_dead_publisher_is_taken_by_the_next(graph, world, artifacts):
    for name in ("v2", "v3"):
        build_artifact(graph, artifacts / name, seed=5)
    publish(graph, artifacts / "v2")
    begin_version(graph, "dead", {}, fence=1)

    publish(graph, artifacts / "v3")

    states = {row["id"]: row["state"] for row in list_versions(graph)}
    assert states == {"v3": "serving", "v2": "standby", "v1": "retired", "dead": "retired"}


def test_logs_of_the_api_name_nobody(client, artifacts, server):
    client.recommend("p0")
    client.ask("PUT", "/v1/users/somebody@example.com", json={"fields": {"age": "x"}})
    kill(server)
    client.recommend("p1")
    client.ask("PUT", "/v1/users/somebody@example.com", json={"fields": {}})

    log = artifacts.parent / "api.log"
    assert wait_until(lambda: "not up to date with the graph" in log.read_text(), 10)
    said = log.read_text()
    assert not [word for word in ("somebody", "p0", "p1", server.password()) if word in said]


def test_events_of_a_batch_under_way_when_the_graph_is_killed_count_once(client, graph, server):
    rows = [{**EVENT, "event_id": f"b{n}", "item_id": str(n % 40)} for n in range(10_000)]
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(client.http.post, "/v1/events", json=rows)
        time.sleep(0.6)
        kill(server)
        first = sent.result()
    server.start()
    assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)

    assert first.status_code == 202
    assert wait_until(lambda: sent_again(client, rows) == (0, len(rows)), RECOVERY_S, 0.2)
    count = "MATCH (:User {id: 'p0'})-[r:RATED]->() WHERE r.event_id STARTS WITH 'b' "
    assert graph.read(count + "RETURN count(r) AS n") == [{"n": len(rows)}]
