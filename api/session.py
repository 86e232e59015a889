"""What a command works on: the graph, the stack and the files of its settings, for as long as it
runs.

A command that needs the graph joins the local stack, or starts its servers for that long.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from api.local.launch import Stack
from api.settings import Settings
from api.streaming import open_stream
from api.terminal import Steps
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import Domain, load_domain
from graphdb.errors import PathlightError
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.stream import EventStream

if TYPE_CHECKING:
    from api.client import Client

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@contextmanager
def open_graph(quiet: bool) -> Generator[tuple[Graph, Domain]]:
    """The graph of the settings, or the local stack's, and its domain."""
    domain = load_domain(Settings().domain)
    with open_stack(quiet) as neo4j, graph_at(neo4j, domain) as graph:
        yield graph, domain


@contextmanager
def open_stack(quiet: bool) -> Generator[Neo4jSettings]:
    """Where the graph is, for as long as the block lasts; a start is shown unless `quiet`."""
    with _servers(quiet) as stack:
        yield stack.neo4j


@contextmanager
def open_events(quiet: bool) -> Generator[tuple[EventStream, DeadLetters]]:
    """The stream of the settings, or the local stack's, and the dead letters beside it."""
    settings = Settings()
    with _servers(quiet) as stack:
        stream = open_stream(settings.model_copy(update={"redis_url": SecretStr(stack.redis_url)}))
        try:
            yield stream, DeadLetters(stream, settings.dead_letters_most)
        finally:
            stream.close()


@contextmanager
def _servers(quiet: bool) -> Generator[Stack]:
    from api.local.stack import join, running

    settings, neo4j = Settings(), Neo4jSettings()
    with ExitStack() as block:
        with Steps(quiet or join(settings, neo4j) is not None) as steps:
            stack = block.enter_context(running(settings, neo4j, steps.advance, parts=()))
        yield stack


@contextmanager
def graph_at(neo4j: Neo4jSettings, domain: Domain) -> Generator[Graph]:
    """The graph there, with the domain's schema."""
    from graphdb.schema import create_schema

    with Graph.from_settings(neo4j) as graph:
        create_schema(graph, domain)
        yield graph


def open_client() -> "Client":
    """A client of the running API, with the settings' key. Raises PathlightError when none runs."""
    from api.client import Client
    from api.local.stack import join

    settings = Settings()
    stack = join(settings, Neo4jSettings())
    if stack is None or not stack.api_url:
        raise PathlightError("no API runs here: start the stack with `pathlight up`")
    return Client(stack.api_url, settings.api_key.get_secret_value())


def newest(directory: Path, what: str) -> Path:
    """The last finished entry; those being built begin with a dot."""
    found = [path for path in directory.glob("[!.]*") if path.is_dir()]
    if not found:
        raise PathlightError(f"there is no {what} in {directory}")
    return max(found, key=lambda path: path.stat().st_mtime)


def new_name() -> str:
    """A snapshot's or an artifact's: the time to the second."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
