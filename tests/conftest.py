"""The real servers that the suite runs against: one Neo4j and one Redis a run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import neo4j
import pytest
from redis import Redis

from api.local.redis_server import LocalRedis, redis_uri
from graphdb.connection import Graph
from graphdb.domain import Domain, load_domain
from graphdb.local.jar_lock import DEFAULT_VERSION
from graphdb.local.server import LocalNeo4j, bolt_uri
from graphdb.schema import create_schema
from tests.api.worlds import Worlds
from tests.wiping import wipe
from training.artifact import Artifact

COUNT_NODES = "MATCH (n) RETURN count(n) AS nodes"


@dataclass(frozen=True)
class Neo4jAddress:
    """Where the suite's Neo4j is; everything in it is wiped."""

    uri: str
    user: str
    password: str


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pathlight")
    group.addoption("--neo4j", default=DEFAULT_VERSION, help="version of the local Neo4j")
    group.addoption("--neo4j-uri", help="an empty Neo4j to use instead; the suite wipes it")
    group.addoption("--neo4j-user", default="neo4j")
    group.addoption("--neo4j-password", default="")
    group.addoption("--whole", action="store_true", help="real data sets as a whole (minutes)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On another line of Neo4j than the default one only what asks a Neo4j is another test."""
    if config.getoption("--neo4j") == DEFAULT_VERSION:
        return
    config.hook.pytest_deselected(items=[item for item in items if not asks_neo4j(item)])
    items[:] = [item for item in items if asks_neo4j(item)]


def asks_neo4j(item: pytest.Item) -> bool:
    """Whether a test, or a fixture of it, is told which Neo4j this run is for."""
    return "neo4j_version" in getattr(item, "fixturenames", ())


def pytest_report_header(config: pytest.Config) -> str:
    """What every run ran against."""
    return f"neo4j: {config.getoption('--neo4j-uri') or config.getoption('--neo4j')}"


@pytest.fixture(scope="session")
def neo4j_version(request: pytest.FixtureRequest) -> str:
    """The version of local servers in this run."""
    return request.config.getoption("--neo4j")


@pytest.fixture(scope="session")
def neo4j_address(
    request: pytest.FixtureRequest,
    neo4j_version: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Neo4jAddress]:
    """One server for the whole run: the one given by `--neo4j-uri` if it is empty, else a local."""
    option = request.config.getoption
    if option("--neo4j-uri"):
        if hasattr(request.config, "workerinput"):
            pytest.exit("--neo4j-uri is one graph, and each process needs its own: leave -n out", 2)
        given = Neo4jAddress(
            option("--neo4j-uri"), option("--neo4j-user"), option("--neo4j-password")
        )
        refuse_unless_empty(given)
        yield given
        return
    server = LocalNeo4j(tmp_path_factory.mktemp("neo4j"), neo4j_version)
    owner, _ = server.start()
    yield Neo4jAddress(bolt_uri(owner.port), "neo4j", server.password())
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One local Redis for the whole run; the address carries its password."""
    server = LocalRedis(tmp_path_factory.mktemp("redis"))
    owner, _ = server.start()
    yield redis_uri(owner.port, server.password())
    server.stop()


def empty_stream_of(redis_url: str) -> None:
    """Flush the database of the stream; Celery's stay."""
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()


@pytest.fixture
def empty_stream(redis_url: str) -> str:
    """The run's Redis with nothing in the stream."""
    empty_stream_of(redis_url)
    return redis_url


def refuse_unless_empty(address: Neo4jAddress) -> None:
    """End the run rather than wipe somebody's graph."""
    auth = (address.user, address.password)
    with neo4j.GraphDatabase.driver(address.uri, auth=auth) as driver:
        nodes = driver.execute_query(COUNT_NODES, database_="neo4j").records[0]["nodes"]
    if nodes:
        pytest.exit(f"{address.uri} holds {nodes} nodes, and the suite would wipe them", 2)


@pytest.fixture
def domain() -> Domain:
    """The shipped domain that the suite's rows are of."""
    return load_domain("films")


@pytest.fixture
def graph(
    neo4j_address: Neo4jAddress, domain: Domain, request: pytest.FixtureRequest
) -> Iterator[Graph]:
    """The run's graph, empty but for the domain's schema."""
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        # The world is put back into the indexes that it was published with.
        wipe(graph, indexes="world" not in request.fixturenames)
        create_schema(graph, domain)
        yield graph


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The home's directory of artifacts."""
    directory = tmp_path / "home" / "artifacts"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The small worlds of this run."""
    return Worlds(tmp_path_factory.mktemp("worlds"))


@pytest.fixture
def world(graph, domain, artifacts, worlds) -> Artifact:
    """The graph with a small world in it and version v1 of it serving; returns the artifact."""
    return worlds.place(graph, domain, artifacts)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Where the real data sets lie: beside the checkout, or where PATHLIGHT_DATA says."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("PATHLIGHT_DATA") or beside)
    if not folder.is_dir():
        pytest.fail(f"no real data sets in {folder}: set PATHLIGHT_DATA to their folder")
    return folder


@pytest.fixture
def project() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]
