"""One world and one real API for the tests of a module: they use people and items of their own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.loop.publication import publish
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.schema import create_schema
from tests.api.conftest import api_on, until_mapped
from tests.api.versions import build_artifact, fill_graph
from tests.conftest import empty_stream_of, wipe
from tests.related import TEXT


@pytest.fixture(scope="module")
def module_graph(neo4j_address) -> Iterator[Graph]:
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, load_domain("films"))
        fill_graph(graph, load_domain("films"))
        yield graph


@pytest.fixture(scope="module")
def module_home(tmp_path_factory) -> Path:
    """The directory of the module's API."""
    home = tmp_path_factory.mktemp("home")
    (home / "artifacts").mkdir()
    return home


@pytest.fixture(scope="module")
def module_api(neo4j_address, module_graph, module_home, redis_url) -> Iterator[str]:
    home = module_home
    build_artifact(module_graph, home / "artifacts" / "v1")
    publish(module_graph, home / "artifacts" / "v1")
    empty_stream_of(redis_url)
    (home / "related.toml").write_text(TEXT)
    domain = str(home / "related.toml")
    # What is asked here is right or wrong, never late: a shared machine pauses for seconds.
    told = {"PATHLIGHT_DOMAIN": domain, "PATHLIGHT_GRAPH_PATIENCE_S": "30"}
    with api_on(neo4j_address, home, redis_url, **told) as url:
        until_mapped(url)
        yield url


@pytest.fixture(scope="module")
def client(module_api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=module_api, trust_env=False, timeout=60) as client:
        yield client


def said(answer: dict) -> dict:
    """An answer without what each has of its own."""
    own = ("took_ms", "recommendation_id", "next_cursor")
    return {name: value for name, value in answer.items() if name not in own}
