"""Serving while its graph is killed, frozen or absent: real processes, real signals."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.local.processes import choose_port, wait_until
from graphdb.local.server import LocalNeo4j, bolt_uri
from graphdb.schema import create_schema
from tests.api.conftest import api_at, process_settings
from tests.api.faults import RECOVERY_S, Client, api_pid, client_of_world, event, frozen, kill
from tests.conftest import Neo4jAddress, empty_stream_of

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, neo4j_version: str) -> Iterator[LocalNeo4j]:
    """A Neo4j of this module's own: the others' must not be killed."""
    server = LocalNeo4j(tmp_path_factory.mktemp("neo4j"), neo4j_version)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def address(server: LocalNeo4j) -> Neo4jAddress:
    owner, _ = server.start()
    return Neo4jAddress(bolt_uri(owner.port), "neo4j", server.password())


@pytest.fixture(scope="module")
def graph(address: Neo4jAddress) -> Iterator[Graph]:
    """In place of the run's: this module's server, which is empty."""
    with Graph(address.uri, address.password) as graph:
        create_schema(graph, load_domain("films"))
        yield graph


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def client(graph, address, home, redis_url: str) -> Iterator[Client]:
    """A client of an API that has mapped v1, which each test leaves running."""
    empty_stream_of(redis_url)
    with client_of_world(graph, address, home, redis_url) as client:
        yield client


@pytest.fixture(autouse=True)
def up(client, server) -> None:
    """The graph as before, whatever the last test has left, and the way in works."""
    server.start()
    assert wait_until(client.takes, RECOVERY_S, 0.2)


def test_a_killed_graph_is_noticed_answered_without_and_found_again(client, server, home):
    """And the log names nobody. Of p1, since p0 has a new event: the way in was tried with it."""
    sent = event("e1", "p1")
    personal = client.recommend("p1")
    client.ask("PUT", "/v1/users/somebody@example.com", json={"fields": {"age": "x"}})
    kill(server)

    answers = [client.recommend("p1") for _ in range(10)]
    similar = client.ask("GET", "/v1/items/3/similar", params={"k": 5}).json()
    stranger = client.recommend("nobody")
    asked = {"user_id": "p1", "k": 3}
    page = client.ask("POST", "/v1/recommendations", json=asked).json()
    asked["cursor"] = page["next_cursor"]
    after = client.ask("POST", "/v1/recommendations", json=asked).json()
    refused = client.ask("POST", "/v1/events", json=sent, params={"wait": True})
    kept = client.ask("POST", "/v1/events", json=sent)
    client.ask("PUT", "/v1/users/somebody@example.com", json={"fields": {}})

    assert personal["degraded"] == []
    assert {tuple(a["degraded"]) for a in answers} == {("graph",)}
    assert {a["model_version"] for a in [*answers, similar, stranger]} == {"v1"}
    ids = [item["id"] for item in personal["items"]]
    assert [[item["id"] for item in a["items"]] for a in answers] == [ids] * 10
    assert (similar["degraded"], len(similar["items"])) == (["graph"], 5)
    assert (stranger["fallback"], len(stranger["items"])) == ("popular", 5)
    assert [item["id"] for item in [*page["items"], *after["items"]]][:5] == ids
    assert [item["rank"] for item in after["items"]] == [4, 5, 6]
    assert {a["fallback"] for a in answers} == {"published"}
    assert (refused.status_code, kept.status_code) == (503, 202)
    assert "the events are kept" in refused.json()["detail"]
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert client.ready() == 503
    assert client.ask("GET", "/health/live").status_code == 200

    server.start()
    assert wait_until(lambda: client.degraded() == [], RECOVERY_S, 0.2)
    assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
    assert wait_until(lambda: sent_again(client, [sent]) is not None, RECOVERY_S, 0.2)
    assert sent_again(client, [sent]) == (0, 1)
    log = home / "api.log"
    assert wait_until(lambda: "not up to date with the graph" in log.read_text(), 10)
    said = log.read_text()
    assert not [word for word in ("somebody", "p0", "p1", server.password()) if word in said]


def sent_again(client: Client, rows: list[dict]) -> tuple[int, int] | None:
    """Accepted and duplicates as the graph has them; None while it is behind."""
    answer = client.http.post("/v1/events", json=rows, params={"wait": True})
    if answer.status_code == 503:
        return None
    return answer.json()["accepted"], answer.json()["duplicates"]


def test_a_frozen_graph_holds_nobody_up_and_no_thread_for_ever(client, server, graph):
    process = psutil.Process(api_pid(client))

    def ask(number: int) -> tuple[int, list[str]]:
        if number % 10 == 0:
            row = event(f"f{number}")
            sent = client.ask("POST", "/v1/events", json=row, params={"wait": True})
            return sent.status_code, ["graph"]
        if number % 10 == 1:
            return client.ready(), ["graph"]
        return 200, client.recommend(f"p{number % 12}")["degraded"]

    with frozen(server):
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

    assert wait_until(lambda: client.degraded() == [], RECOVERY_S, 0.2)
    assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
    # All of it was kept; sent again it counts once.
    again = [event(f"f{number}") for number in range(0, 100, 10)]
    assert wait_until(lambda: sent_again(client, again) == (0, 10), RECOVERY_S, 0.2)
    count = "MATCH ()-[r:RATED]->() WHERE r.event_id STARTS WITH 'f' RETURN count(r) AS n"
    assert graph.read(count) == [{"n": 10}]


def clock(work: Callable) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


@pytest.fixture
def start_api(address, home, tmp_path, redis_url: str) -> Callable[[], AbstractContextManager[str]]:
    """Start another API, whose home holds v1's files and knows of no version that served."""
    shutil.copytree(home / "artifacts", tmp_path / "artifacts")
    settings = process_settings(address, tmp_path, redis_url)
    return lambda: api_at(settings, tmp_path, choose_port(0))


def test_an_api_started_without_its_graph_says_so_finds_it_and_then_remembers_what_served(
    start_api, server, tmp_path
):
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
        sent = client.ask("POST", "/v1/events", json=event("w1"), params={"wait": True})
        assert sent.status_code == 503
        assert client.ready() == 503
        assert client.ask("GET", "/health/live").status_code == 200

        server.start()
        assert wait_until(lambda: client.ready() == 200, RECOVERY_S, 0.2)
        assert wait_until(client.warm, RECOVERY_S, 0.2)
        assert client.ask("GET", refused.url.path).status_code == 200
        assert client.recommend()["model_version"] == "v1"
        assert wait_until((tmp_path / "serving.json").exists, 30)

    kill(server)
    with start_api() as url, Client(url) as again:
        answer = again.recommend()
        similar = again.ask("GET", "/v1/items/3/similar").json()
        server.start()
        assert wait_until(again.warm, RECOVERY_S, 0.2)
        back = again.recommend()

    assert (answer["model_version"], answer["degraded"]) == ("v1", ["graph"])
    assert (answer["fallback"], len(answer["items"])) == ("popular", 5)
    assert (similar["degraded"], len(similar["items"]) > 0) == (["graph"], True)
    assert (back["model_version"], back["degraded"], back["fallback"]) == ("v1", [], None)


def test_events_of_a_batch_under_way_when_the_graph_is_killed_count_once(client, graph, server):
    rows = [event(f"b{n}", item=str(n % 40)) for n in range(10_000)]
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
