"""An API process's state: it keeps up with the graph by itself and leaves nothing behind."""

import logging
import threading
import time

import pytest
from pydantic import SecretStr

from api.loop.publication import publish
from api.settings import Settings
from api.state import open_state
from graphdb.connection import Neo4jSettings
from graphdb.errors import GraphUnavailableError
from graphdb.local.processes import choose_port, wait_until
from graphdb.versions.versions import rollback
from tests.api.versions import build_artifact

DROP = "DROP CONSTRAINT user_id IF EXISTS"
FIND = "SHOW CONSTRAINTS YIELD name WHERE name = 'user_id' RETURN count(*) AS found"


@pytest.fixture
def settings(artifacts) -> Settings:
    return Settings(home=artifacts.parent)


@pytest.fixture
def neo4j(neo4j_address) -> Neo4jSettings:
    address = neo4j_address
    return Neo4jSettings(uri=address.uri, user=address.user, password=SecretStr(address.password))


def test_it_maps_what_serves_and_what_serves_next_without_being_asked(
    graph, world, settings, neo4j, artifacts
):
    with open_state(settings, neo4j) as state:

        def maps(version: str) -> bool:
            return wait_until(
                lambda: bool(state.serving.version and state.serving.version.id == version), 20
            )

        assert maps("v1")
        build_artifact(graph, artifacts / "v2", seed=5)
        publish(graph, artifacts / "v2")
        assert maps("v2")
        rollback(graph)
        assert maps("v1")


def test_it_creates_the_schema(graph, settings, neo4j):
    graph.write(DROP)

    with open_state(settings, neo4j):
        assert wait_until(lambda: graph.read(FIND) == [{"found": 1}], 20)


def test_an_answer_waits_for_the_graph_as_long_as_the_settings_say(settings, neo4j):
    hurried = settings.model_copy(update={"graph_patience_s": 0.2})
    with open_state(hurried, neo4j) as state:
        begun = time.monotonic()
        with pytest.raises(GraphUnavailableError):
            state.breaker.call(threading.Event().wait, 5)
        assert time.monotonic() - begun < 3


def test_closing_ends_its_threads(world, settings, neo4j):
    others = {thread.ident for thread in threading.enumerate()}

    def own() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread.ident not in others}

    with open_state(settings, neo4j) as state:
        assert wait_until(lambda: state.serving.version is not None, 20)
        assert "keep-up" in own()

    assert wait_until(lambda: own() == set(), 10), own()


def test_a_graph_that_stays_away_is_logged_once(settings, caplog):
    nowhere = Neo4jSettings(uri=f"bolt://127.0.0.1:{choose_port(0)}", password=SecretStr("secret"))
    waiting = threading.Event()

    with caplog.at_level(logging.INFO), open_state(settings, nowhere) as state:
        assert wait_until(lambda: state.breaker.is_open, 20)
        waiting.wait(6)

    said = [r.getMessage() for r in caplog.records if r.name == "api.state"]
    assert len(said) == 1
    assert said[0].startswith("not up to date with the graph")
    assert "secret" not in caplog.text
