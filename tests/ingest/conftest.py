"""An empty graph with the schema of `films`, and the real data sets."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphdb.connection import Graph
from graphdb.domain import Domain, load_domain
from graphdb.schema import create_schema

WIPE = "MATCH (n) DETACH DELETE n"


@pytest.fixture
def films() -> Domain:
    return load_domain("films")


@pytest.fixture
def graph(neo4j_address, films: Domain) -> Iterator[Graph]:
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        graph.write(WIPE)
        create_schema(graph, films)
        yield graph


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Where the real data sets lie: beside the checkout, or where PATHLIGHT_DATA says."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("PATHLIGHT_DATA") or beside)
    if not folder.is_dir():
        pytest.fail(f"no real data sets in {folder}: set PATHLIGHT_DATA to their folder")
    return folder
