"""Training, and the jobs that do it on a schedule."""

from pathlib import Path
from typing import Annotated

import typer

from api.session import Json, new_name, newest, open_graph
from api.settings import Settings
from api.terminal import Steps, brief, show, tell

app = typer.Typer()


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

    chosen = snapshot or newest(Settings().snapshots, "snapshot")
    with Steps(as_json) as steps:
        artifact = run_training(Settings(), chosen, new_name(), steps.advance, seed=seed)
    model = read_model(artifact)
    tell(f"artifact {artifact} (seed {seed})", as_json, artifact=str(artifact), seed=seed)
    if not as_json:
        show([{"model": name, **values} for name, values in model.metrics.items()], False)


@app.command()
def retrain(as_json: Json = False) -> None:
    """Ask the workers for a whole cycle: export, train, publish."""
    from api.jobs import request_retrain

    with open_graph(as_json) as (graph, _):
        key = request_retrain(graph)
    tell(f"job {key} is asked for: `pathlight jobs` shows what becomes of it", as_json, job=key)


@app.command()
def jobs(as_json: Json = False) -> None:
    """The newest jobs and what became of them."""
    from graphdb.jobs import list_jobs

    with open_graph(as_json) as (graph, _):
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
