"""A clean graph for each test, on the run's one server."""

from collections.abc import Iterator

import pytest

from graphdb.connection import Graph
from graphdb.domain import Domain, load_domain
from graphdb.schema import create_schema

WIPE = "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS"


@pytest.fixture
def domain() -> Domain:
    return load_domain("films")


@pytest.fixture
def graph(neo4j_address, domain: Domain) -> Iterator[Graph]:
    """Empty but for the films' schema."""
    with Graph(neo4j_address.uri, neo4j_address.password, user=neo4j_address.user) as graph:
        with graph._driver.session(database=graph.database) as session:
            session.run(WIPE).consume()
            for record in list(session.run("SHOW VECTOR INDEXES YIELD name RETURN name")):
                session.run(f"DROP INDEX {record['name']}").consume()
        create_schema(graph, domain)
        yield graph
