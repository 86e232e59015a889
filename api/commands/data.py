"""Data in and out: known data sets into the graph, the graph into a snapshot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.session import Json, graph_at, new_name, open_graph, open_stack
from api.settings import Settings
from api.terminal import Steps, tell
from graphdb.domain import load_domain

app = typer.Typer()


@app.command(name="import")
def import_(
    path: Annotated[Path, typer.Argument(help="A folder of MovieLens-100K in RecBole's files.")],
    as_json: Json = False,
) -> None:
    """Load a known data set's folder; loading it again changes nothing."""
    from ingest.dataset import load
    from ingest.folders import read_folder

    dataset = read_folder(path)
    with open_graph(as_json) as (graph, domain), Steps(as_json) as steps:
        loaded = load(graph, domain, dataset, steps.advance)
    tell(
        f"{loaded.users:,} users, {loaded.items:,} items, {loaded.events:,} new events,"
        f" {loaded.duplicates:,} known ones",
        as_json,
        **vars(loaded),
    )


@app.command()
def snapshot(
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Only events received by this time (UTC), aged as of then."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="A snapshot, by name: what has not changed since is taken from it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Encode the texts that changed and export the graph to files."""
    from api.cycle import export
    from graphdb.snapshot import read_manifest

    settings = Settings()
    domain = load_domain(settings.domain)
    received_by = as_of.replace(tzinfo=UTC) if as_of else None
    base = settings.snapshots / since if since else None
    with open_stack(as_json) as neo4j, graph_at(neo4j, domain) as graph, Steps(as_json) as steps:
        written = export(
            settings,
            neo4j,
            graph,
            domain,
            new_name(),
            steps.advance,
            received_by=received_by,
            since=base,
        )
    manifest = read_manifest(written)
    refused = f"; a full one: {manifest.since_refused}" if manifest.since_refused else ""
    tell(
        f"snapshot {written}{refused}",
        as_json,
        snapshot=str(written),
        since=manifest.since,
        since_refused=manifest.since_refused,
    )
