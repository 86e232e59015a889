"""Training, and the jobs that do it on a schedule."""

from pathlib import Path
from typing import Annotated

import typer

from api.session import Json, new_name, newest, open_graph
from api.settings import Settings
from api.terminal import Steps, brief, say, show, tell
from training.search.choice import RECIPE, Choice

app = typer.Typer()

Snapshot = Annotated[
    Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Model = Annotated[str | None, typer.Option(help="A name that `pathlight models` lists.")]
Loss = Annotated[str | None, typer.Option(help="A name that `pathlight models` lists.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PART.NAME=VALUE",
        help="A setting that stays as given, of the model, the loss or the training.",
    ),
]
Alone = Annotated[bool, typer.Option("--alone", help="No closed form beside the model.")]
Recipe = Annotated[Path | None, typer.Option(help="What `pathlight tune` wrote.")]
BEST = 5
"""Trials shown of a search."""


@app.command()
def train(
    snapshot: Snapshot = None,
    seed: Seed = 1,
    model: Model = None,
    loss: Loss = None,
    settings: Set = None,
    recipe: Recipe = None,
    alone: Alone = False,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="An artifact to go on from, on a snapshot that has grown."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train on a snapshot: the default recipe, or what is named; needs no running stack."""
    from api.loop.cycle import train as run_training
    from training.artifact import read_model

    chosen = snapshot or newest(Settings().snapshots, "snapshot")
    choice = Choice(model, loss, tuple(settings or ()), recipe, alone)
    with Steps(as_json) as steps:
        artifact = run_training(
            Settings(), chosen, new_name(), steps.advance, seed=seed, choice=choice, start=start
        )
    figures = read_model(artifact).metrics
    curves = f"curves: tensorboard --logdir {artifact.parent}"
    tell(f"artifact {artifact} (seed {seed}); {curves}", as_json, artifact=str(artifact), seed=seed)
    if not as_json:
        show([{"model": name, **values} for name, values in figures.items()], False)


@app.command()
def tune(
    snapshot: Snapshot = None,
    minutes: Annotated[
        float, typer.Option(min=0, help="All that may be spent on trials, earlier ones included.")
    ] = 5,
    seed: Seed = 1,
    model: Model = None,
    loss: Loss = None,
    settings: Set = None,
    recipe: Annotated[Path | None, typer.Option(help="Where the search begins.")] = None,
    alone: Alone = False,
    study: Annotated[
        Path | None, typer.Option(help="A directory; the same again goes on where it was.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search settings on validation, into a recipe that `train` takes; needs no running stack."""
    from api.loop.cycle import tune as run_search

    chosen = snapshot or newest(Settings().snapshots, "snapshot")
    choice = Choice(model, loss, tuple(settings or ()), recipe, alone)
    directory = study or Settings().studies / f"{chosen.resolve().name}-{choice.words}"
    with Steps(as_json) as steps:
        found = run_search(
            chosen, directory, steps.advance, minutes=minutes, seed=seed, choice=choice
        )
    path = directory / RECIPE
    if as_json:
        tell("", True, recipe=str(path), **found.tuned)
        return
    ended = [trial for trial in found.trials if trial["outcome"] != "killed"]
    best = sorted(ended, key=lambda trial: -(trial["ndcg"] or 0))
    show(best[:BEST], False)
    say(f"{len(best)} trials (seed {seed}); the best: pathlight train --recipe {path}")


@app.command()
def models(as_json: Json = False) -> None:
    """Models, losses and closed forms by name, with their settings and ranges."""
    from training.search.choice import everything

    show(everything(), as_json)


@app.command()
def retrain(as_json: Json = False) -> None:
    """Ask the workers for a whole cycle: export, train, publish."""
    from api.loop.jobs import request_retrain

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
