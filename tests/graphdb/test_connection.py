"""The one door: plain rows, writes that stay out of reads, one sentence when nobody answers."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from neo4j.exceptions import ClientError
from pydantic import SecretStr

from graphdb.connection import SERVING, WORKING, Graph, Neo4jSettings
from graphdb.errors import GraphUnavailableError, PathlightError
from graphdb.local.processes import choose_port

ADDRESS = "bolt://127.0.0.1:{port}"


def test_rows_are_plain(graph):
    graph.write("CREATE (:User {id: $id})", id="ann")

    rows = graph.read("MATCH (u:User) RETURN u.id AS id, [1, 2] AS list, null AS nothing")

    assert rows == [{"id": "ann", "list": [1, 2], "nothing": None}]


def test_a_long_read_is_streamed(graph):
    rows = graph.stream("UNWIND range(1, $n) AS n RETURN n", n=5000)

    assert next(rows) == {"n": 1}
    assert sum(row["n"] for row in rows) == 5000 * 5001 // 2 - 1


def test_a_transaction_that_fails_leaves_nothing(graph):
    def work(tx):
        tx.run("CREATE (:User {id: 'half'})").consume()
        raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        graph.transaction(work)

    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 0}]


def test_an_explored_statement_cannot_write(graph):
    assert graph.plan_type("MATCH (n) RETURN n", {}, 10) == "r"
    assert graph.plan_type("CREATE (n:User) RETURN n", {}, 10) != "r"
    with pytest.raises(ClientError):
        graph.explore("CREATE (n:User {id: 'x'}) RETURN n", {}, 10, 10)

    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 0}]


def test_a_read_that_takes_too_long_is_one_sentence(neo4j_address):
    patience = replace(SERVING, query=0.3)
    address = neo4j_address
    slow = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + b) AS n"

    with (
        Graph(address.uri, address.password, user=address.user, patience=patience) as graph,
        pytest.raises(GraphUnavailableError, match=r"did not answer within 0\.3 s"),
    ):
        graph.read(slow)


def test_a_refused_log_in_is_one_sentence(neo4j_address):
    with (
        Graph(neo4j_address.uri, "wrong", user="nobody") as graph,
        pytest.raises(PathlightError, match="Neo4j refused the log-in"),
    ):
        graph.verify()


def test_where_nobody_listens_is_noticed_at_once():
    began = time.monotonic()

    with (
        Graph(ADDRESS.format(port=choose_port(0)), "", patience=SERVING) as graph,
        pytest.raises(GraphUnavailableError, match="the graph did not answer"),
    ):
        graph.read("RETURN 1 AS one")

    assert time.monotonic() - began < 3


def test_a_server_that_accepts_and_stays_silent_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = ADDRESS.format(port=silent.getsockname()[1])
        began = time.monotonic()

        with (
            Graph(address, "", patience=SERVING) as graph,
            pytest.raises(GraphUnavailableError),
        ):
            graph.verify()

    assert time.monotonic() - began < 10


@pytest.mark.parametrize("uri", ["bolt://db.example.org:7687", "neo4j+s://10.0.0.5"])
def test_a_remote_server_without_a_password_is_refused(uri: str):
    with pytest.raises(PathlightError, match="set PATHLIGHT_NEO4J_PASSWORD"):
        Graph(uri, "")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:7474", "127.0.0.1"])
def test_what_is_no_address_is_named(uri: str):
    with pytest.raises(PathlightError, match="PATHLIGHT_NEO4J_URI is not a Neo4j address"):
        Graph(uri, "secret")


def test_settings_reach_a_child_and_do_not_show_the_password(monkeypatch):
    settings = Neo4jSettings(uri="bolt://127.0.0.1:1", user="me", password=SecretStr("hush"))
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)

    assert Neo4jSettings() == settings
    assert "hush" not in repr(settings)
    with Graph.from_settings(settings, WORKING) as graph:
        assert (graph.database, graph.patience) == ("neo4j", WORKING)


def test_a_process_that_freezes_over_a_schema_statement_holds_no_lock(graph, neo4j_address):
    """Everything it said is heard, and nothing it is told: as a process that was stopped."""
    graph.define("CREATE INDEX probe IF NOT EXISTS FOR (n:Item) ON (n.probe)")
    with freezing_proxy(neo4j_address.uri, b"DROP INDEX") as (uri, frozen):
        impatient = replace(WORKING, retry=0)
        other = Graph(uri, neo4j_address.password, user=neo4j_address.user, patience=impatient)
        stopped = threading.Thread(target=drop, args=(other,))
        stopped.start()
        assert frozen.wait(20)
        begun = time.monotonic()

        graph.define("DROP INDEX probe IF EXISTS")

        assert time.monotonic() - begun < 8, "the lock was waited for"
    stopped.join()
    other.close()


def drop(graph: Graph) -> None:
    with suppress(GraphUnavailableError):
        graph.define("DROP INDEX probe IF EXISTS")


@contextmanager
def freezing_proxy(uri: str, words: bytes) -> Iterator[tuple[str, threading.Event]]:
    """Its address, and an event: from when a client has said `words` on, it hears nothing."""
    target, frozen, sockets = urlsplit(uri), threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection((target.hostname, target.port))
                sockets.extend((client, server))
                for pump, pair in ((say, (client, server)), (hear, (server, client))):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    def say(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                if words in data:
                    frozen.set()
                server.sendall(data)

    def hear(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while (data := server.recv(1 << 16)) and not frozen.is_set():
                client.sendall(data)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"bolt://127.0.0.1:{listener.getsockname()[1]}", frozen
    finally:
        listener.close()
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
