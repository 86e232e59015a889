"""What serves, and asking it."""

from pathlib import Path
from typing import Annotated

import typer

from api.session import Json, newest, open_client, open_graph
from api.settings import Settings
from api.terminal import Steps, brief, show, tell

app = typer.Typer()


@app.command()
def publish(
    artifact: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an artifact what serves; what served before stands by."""
    from api.loop.cycle import publish_artifact

    chosen = artifact or newest(Settings().artifacts, "artifact")
    with open_graph(as_json) as (graph, _), Steps(as_json) as steps:
        version = publish_artifact(Settings(), graph, chosen, 0, steps.advance)
    tell(f"version {version} serves", as_json, version=version)


@app.command()
def rollback(as_json: Json = False) -> None:
    """Let the version that stands by serve again."""
    from graphdb.versions.versions import rollback as flip_back

    with open_graph(as_json) as (graph, _):
        version = flip_back(graph)
    tell(f"version {version} serves again", as_json, version=version)


@app.command()
def versions(as_json: Json = False) -> None:
    """The published versions, newest first."""
    from graphdb.versions.versions import list_versions

    with open_graph(as_json) as (graph, _):
        rows = list_versions(graph)
    if not as_json:
        columns = ("id", "state", "slot", "share", "published_at")
        rows = [
            {k: brief(row[k]) if k == "published_at" else row[k] for k in columns} for row in rows
        ]
    show(rows, as_json, "nothing was published yet")


@app.command()
def attention(
    artifact: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write onto the events how much of each went into its person's vector, for the analyst.

    The artifact's model must be one that attends (gat), and its version serve or stand by.
    """
    from api.loop.attention import publish_attention

    chosen = artifact or newest(Settings().artifacts, "artifact")
    with open_graph(as_json) as (graph, domain), Steps(as_json) as steps:
        written = publish_attention(Settings(), graph, domain, chosen, steps.advance)
    tell(f"{written} events have their attention", as_json, events=written)


@app.command()
def recommend(
    user: Annotated[str, typer.Argument(help="The person's id.")],
    k: Annotated[int, typer.Option(min=1, max=500)] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="With reasons.")] = False,
    as_json: Json = False,
) -> None:
    """Recommendations for a person, from the running API."""
    from api.ask import print_answer

    with open_client() as client:
        answer = client.recommend(
            user_id=user, k=k, include=["item", "reasons"] if explain else ["item"]
        )
    print_answer(answer, as_json)


@app.command()
def similar(
    item: Annotated[str, typer.Argument(help="The item's id.")],
    k: Annotated[int, typer.Option(min=1, max=500)] = 10,
    as_json: Json = False,
) -> None:
    """Items like an item, from the running API."""
    from api.ask import print_answer

    with open_client() as client:
        answer = client.similar_items(item, k=k)
    print_answer(answer, as_json)
