"""Servers of a benchmark's own with the schema of a shop, thrown away afterwards."""

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.local.parts import API, CONSUMER, Part
from api.local.stack import Stack, running
from api.settings import Settings
from benchmarks.shoplike import DOMAIN, shoplike_domain
from graphdb.connection import Graph, Neo4jSettings
from graphdb.local.jar_lock import DEFAULT_VERSION
from graphdb.schema import create_schema


@contextmanager
def shop_stack(
    parts: Sequence[Part] = (CONSUMER, API), version: str = DEFAULT_VERSION
) -> Generator[tuple[Stack, Graph]]:
    """Servers, Neo4j of this version, and `parts`, and the graph, which has the schema and nothing
    else."""
    with tempfile.TemporaryDirectory() as folder:
        domain = Path(folder) / "shoplike.toml"
        domain.write_text(DOMAIN, "utf-8")
        settings = Settings(home=Path(folder) / "home", domain=str(domain), neo4j_version=version)
        with (
            running(settings, Neo4jSettings(uri=""), parts=parts) as stack,
            Graph.from_settings(stack.neo4j) as graph,
        ):
            create_schema(graph, shoplike_domain())
            yield stack, graph
