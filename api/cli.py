"""`pathlight`: the one program. Each command is a few lines around a function of the packages.

Commands that need the graph join the local stack, or start its servers for as long as they run.
"""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from api.settings import Settings, refused_setting
from api.terminal import Steps, brief, err, show, tell
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import Domain, load_domain
from graphdb.errors import PathlightError
from graphdb.snapshot import SnapshotError
from training.artifact import ArtifactError

app = typer.Typer(
    help="A graph-native recommender: events in Neo4j, answers with their reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

INTERRUPTED = 130
"""What typer ends with after Ctrl-C."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(help="Where the local stack keeps everything.")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="A shipped domain's name, or a TOML file.")
    ] = None,
    neo4j_version: Annotated[
        str | None, typer.Option("--neo4j", help="Version of the local Neo4j.")
    ] = None,
) -> None:
    """Every option can be an environment variable as well: PATHLIGHT_HOME, PATHLIGHT_DOMAIN, …"""
    given = {"HOME": home, "DOMAIN": domain, "NEO4J_VERSION": neo4j_version}
    os.environ.update({f"PATHLIGHT_{k}": str(v) for k, v in given.items() if v is not None})


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
    """Start the local stack, or join it: Neo4j, Redis, API, worker and scheduler."""
    from api import stack

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
    from api import stack

    stopped = stack.down(Settings())
    tell(f"stopped: {', '.join(stopped)}" if stopped else "nothing ran", as_json, stopped=stopped)


@app.command()
def status(as_json: Json = False) -> None:
    """Each part of the local stack: address, process, memory."""
    from api.status import status as rows_of

    show(rows_of(Settings(), Neo4jSettings()), as_json)


@app.command(name="import")
def import_(
    path: Annotated[Path, typer.Argument(help="A folder of MovieLens-100K in RecBole's files.")],
    as_json: Json = False,
) -> None:
    """Load a known data set's folder; loading it again changes nothing."""
    from ingest.dataset import load
    from ingest.folders import read_folder

    dataset = read_folder(path)
    with _graph(as_json) as (graph, domain), Steps(as_json) as steps:
        loaded = load(graph, domain, dataset, steps.advance)
    tell(
        f"{loaded.users:,} users, {loaded.items:,} items, {loaded.events:,} new events,"
        f" {loaded.duplicates:,} known ones",
        as_json,
        **vars(loaded),
    )


@app.command()
def snapshot(as_json: Json = False) -> None:
    """Encode the texts that changed and export the graph to files."""
    from api.cycle import export

    domain = load_domain(Settings().domain)
    with _stack(as_json) as neo4j, _open(neo4j, domain) as graph, Steps(as_json) as steps:
        written = export(Settings(), neo4j, graph, domain, _new_name(), steps.advance)
    tell(f"snapshot {written}", as_json, snapshot=str(written))


@app.command()
def train(
    snapshot: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    as_json: Json = False,
) -> None:
    """Train the default recipe on a snapshot; needs no running stack."""
    from api.cycle import train as run_training
    from training.artifact import read_model

    chosen = snapshot or _newest(Settings().snapshots, "snapshot")
    with Steps(as_json) as steps:
        artifact = run_training(Settings(), chosen, _new_name(), steps.advance, seed=seed)
    model = read_model(artifact)
    tell(f"artifact {artifact} (seed {seed})", as_json, artifact=str(artifact), seed=seed)
    if not as_json:
        show([{"model": name, **values} for name, values in model.metrics.items()], False)


@app.command()
def publish(
    artifact: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an artifact what serves; what served before stands by."""
    from api.cycle import publish_artifact

    chosen = artifact or _newest(Settings().artifacts, "artifact")
    with _graph(as_json) as (graph, _), Steps(as_json) as steps:
        version = publish_artifact(Settings(), graph, chosen, 0, steps.advance)
    tell(f"version {version} serves", as_json, version=version)


@app.command()
def rollback(as_json: Json = False) -> None:
    """Let the version that stands by serve again."""
    from graphdb.versions import rollback as flip_back

    with _graph(as_json) as (graph, _):
        version = flip_back(graph)
    tell(f"version {version} serves again", as_json, version=version)


@app.command()
def versions(as_json: Json = False) -> None:
    """The published versions, newest first."""
    from graphdb.versions import list_versions

    with _graph(as_json) as (graph, _):
        rows = list_versions(graph)
    if not as_json:
        columns = ("id", "state", "slot", "share", "published_at")
        rows = [
            {k: brief(row[k]) if k == "published_at" else row[k] for k in columns} for row in rows
        ]
    show(rows, as_json, "nothing was published yet")


@app.command()
def retrain(as_json: Json = False) -> None:
    """Ask the workers for a whole cycle: export, train, publish."""
    from api.jobs import request_retrain

    with _graph(as_json) as (graph, _):
        key = request_retrain(graph)
    tell(f"job {key} is asked for: `pathlight jobs` shows what becomes of it", as_json, job=key)


@app.command()
def jobs(as_json: Json = False) -> None:
    """The newest jobs and what became of them."""
    from graphdb.jobs import list_jobs

    with _graph(as_json) as (graph, _):
        rows = list_jobs(graph)
    if not as_json:
        rows = [
            {
                "job": row["key"],
                "state": row["state"],
                "attempts": row["attempts"],
                "asked for at": brief(row["created_at"]),
                "outcome": row["error"] or row["outcome"],
            }
            for row in rows
        ]
    show(rows, as_json, "no job was ever asked for")


@app.command()
def recommend(
    user: Annotated[str, typer.Argument(help="The person's id.")],
    k: Annotated[int, typer.Option(min=1, max=500)] = 10,
    explain: Annotated[bool, typer.Option("--explain", help="With reasons.")] = False,
    as_json: Json = False,
) -> None:
    """Recommendations for a person, from the running API."""
    from api.ask import ask, print_answer

    include = ["item", "reasons"] if explain else ["item"]
    body = {"user_id": user, "k": k, "include": include}
    answer = ask(_api_url(), "POST", "/v1/recommendations", json=body)
    print_answer(answer, as_json)


@app.command()
def similar(
    item: Annotated[str, typer.Argument(help="The item's id.")],
    k: Annotated[int, typer.Option(min=1, max=500)] = 10,
    as_json: Json = False,
) -> None:
    """Items like an item, from the running API."""
    from urllib.parse import quote

    from api.ask import ask, print_answer

    path = f"/v1/items/{quote(item, safe='')}/similar"
    print_answer(ask(_api_url(), "GET", path, params={"k": k}), as_json)


@app.command()
def cypher(
    statement: Annotated[str, typer.Argument(help="One statement that only reads.")],
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds.")] = 10,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Rows at most.")] = 1000,
    as_json: Json = False,
) -> None:
    """Run a reading statement on the graph: explained first, with a time-out and a row cap."""
    from graphdb.exploration import explore

    with _graph(as_json) as (graph, _):
        table = explore(graph, statement, timeout=timeout, limit=limit)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    show(rows, as_json, "no rows")
    if table.truncated:
        err.print(f"only the first {limit} rows are shown; --limit shows more")


@contextmanager
def _graph(quiet: bool) -> Generator[tuple[Graph, Domain]]:
    """The graph of the settings, or the local stack's, and its domain."""
    domain = load_domain(Settings().domain)
    with _stack(quiet) as neo4j, _open(neo4j, domain) as graph:
        yield graph, domain


@contextmanager
def _stack(quiet: bool) -> Generator[Neo4jSettings]:
    """Where the graph is, for as long as the block lasts; a start is shown unless `quiet`."""
    from api.stack import join, running

    settings, neo4j = Settings(), Neo4jSettings()
    with ExitStack() as block:
        with Steps(quiet or join(settings, neo4j) is not None) as steps:
            stack = block.enter_context(running(settings, neo4j, steps.advance, parts=()))
        yield stack.neo4j


@contextmanager
def _open(neo4j: Neo4jSettings, domain: Domain) -> Generator[Graph]:
    """The graph there, with the domain's schema."""
    from graphdb.schema import create_schema

    with Graph.from_settings(neo4j) as graph:
        create_schema(graph, domain)
        yield graph


def _api_url() -> str:
    from api.stack import join

    stack = join(Settings(), Neo4jSettings())
    if stack is None or not stack.api_url:
        raise PathlightError("no API runs here: start the stack with `pathlight up`")
    return stack.api_url


def _newest(directory: Path, what: str) -> Path:
    """The last finished entry; those being built begin with a dot."""
    found = [path for path in directory.glob("[!.]*") if path.is_dir()]
    if not found:
        raise PathlightError(f"there is no {what} in {directory}")
    return max(found, key=lambda path: path.stat().st_mtime)


def _new_name() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


def _refuse(sentence: str) -> NoReturn:
    err.print(f"pathlight: {sentence}", markup=False, soft_wrap=True)
    sys.exit(1)


def main() -> None:
    """Run the program: 0, or 1 and one sentence, or 130 after Ctrl-C."""
    try:
        app()
    except ValidationError as error:
        _refuse(refused_setting(error))
    except (PathlightError, SnapshotError, ArtifactError) as error:
        _refuse(str(error))
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            err.print("stopped")
        raise


if __name__ == "__main__":
    main()
