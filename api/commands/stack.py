"""The local stack and the demonstration on it."""

from pathlib import Path
from typing import Annotated

import typer

from api.session import Json
from api.settings import Settings
from api.terminal import Steps, err, out, show, tell
from graphdb.connection import Neo4jSettings
from graphdb.errors import PathlightError

app = typer.Typer()


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="A folder of MovieLens-100K instead of the example.")
    ] = None,
    leave: Annotated[
        bool, typer.Option("--exit", help="Stop at the end instead of serving.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The whole loop, ending with explained recommendations and an address to ask."""
    from api.demo import run_demo

    run_demo(Settings(), Neo4jSettings(), data, leave=leave, as_json=as_json)


@app.command()
def up(as_json: Json = False) -> None:
    """Start the local stack, or join it: Neo4j, Redis, consumer, API, worker and scheduler."""
    from api.local import stack

    with Steps(as_json) as steps:
        started = stack.up(Settings(), Neo4jSettings(), steps.advance)
    tell(
        f"The API answers at {started.api_url} (its documentation: {started.api_url}/docs)",
        as_json,
        api=started.api_url,
        neo4j=started.neo4j.uri,
    )


@app.command()
def down(as_json: Json = False) -> None:
    """Stop the local stack; everything in it is kept."""
    from api.local import stack

    stopped = stack.down(Settings())
    tell(f"stopped: {', '.join(stopped)}" if stopped else "nothing ran", as_json, stopped=stopped)


@app.command()
def status(as_json: Json = False) -> None:
    """Each part of the local stack, and each partition of the stream: what waits, what was put
    aside."""
    from api.local.stack import join
    from api.local.status import status as rows_of
    from api.local.status import stream_status

    settings, neo4j = Settings(), Neo4jSettings()
    parts, stack = rows_of(settings, neo4j), join(settings, neo4j)
    try:
        partitions = stream_status(stack) if stack else []
    except PathlightError as error:
        partitions = []
        err.print(f"the stream cannot be shown: {error}", markup=False)
    if as_json:
        show(parts + partitions, True)
        return
    show(parts, False)
    if partitions:
        out.print()
        show(partitions, False)
