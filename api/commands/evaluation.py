"""How good a recipe is: judged again by any split, beside the baselines and another recipe."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from api.session import Json, newest
from api.settings import Settings
from api.terminal import Steps, say, show
from graphdb.domain import Domain, load_domain
from training.judging.judgement import Interval, Judgement

app = typer.Typer()

SHOWN = ("ndcg", "recall", "mrr", "hit_rate", "coverage", "novelty", "popularity")
COUNTED = ("users", "items", "share", "catalogue", "test")


@app.command()
def evaluate(
    artifact: Annotated[
        Path | None, typer.Argument(help="Its directory; without it the newest is taken.")
    ] = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="Without it the one that the artifact was trained on.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="What is asked for: latest, random, items, time, last or users.")
    ] = "latest",
    share: Annotated[float, typer.Option(help="How much of it, between 0 and 1.")] = 0.1,
    given: Annotated[
        Path | None, typer.Option(help="A file of pairs to ask for: columns user and item.")
    ] = None,
    cutoff: Annotated[
        list[int] | None, typer.Option(help="Length of lists; may be repeated: 10 and 20.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="A property of users or items; may be repeated.")
    ] = None,
    dial: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE,VALUE: what a dial costs and buys; may be repeated."),
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another artifact, whose recipe is fitted beside.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 1,
    out: Annotated[
        Path | None, typer.Option(help="The judgement's file; without it the artifact's own.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge an artifact's recipe on data that it did not learn from; needs no running stack."""
    from api.loop.cycle import evaluate as run_evaluation
    from training.artifact import read_model
    from training.judging.judgement import read_judgement

    settings = Settings()
    chosen = artifact or newest(settings.artifacts, "artifact")
    data = snapshot or settings.snapshots / read_model(chosen).snapshot_id
    options = ["--split", split, "--share", str(share), "--seed", str(seed)]
    options += [word for k in cutoff or () for word in ("--cutoff", str(k))]
    options += [word for name in group or () for word in ("--group", name)]
    options += [word for text in dial or () for word in ("--dial", text)]
    options += ["--kinds", json.dumps(_kinds(load_domain(settings.domain)))] if dial else []
    options += ["--given", str(given)] if given else []
    options += ["--against", str(against)] if against else []
    with Steps(as_json) as steps:
        file = run_evaluation(chosen, data, out, options, steps.advance)
    judgement = read_judgement(file)
    if as_json:
        print(judgement.model_dump_json())
        return
    say(f"{judgement.split}: {judgement.users:,} people tested (seed {seed})")
    for rows in filter(None, _tables(judgement, group or ())):
        show(rows, False)
    say(f"judgement {file}")


def _tables(judgement: Judgement, groups: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    for k in judgement.cutoffs:
        yield [
            {
                "model": judged.name,
                **{f"{name}@{k}": _words(judged.metrics[f"{name}@{k}"]) for name in SHOWN},
            }
            for judged in judgement.models
        ]
    yield [
        {"dial": found.dial, "value": found.value}
        | {f"ndcg@{found.cutoff}": _words(found.ndcg), "cost": _words(found.cost), "p": found.p}
        | {"bought": found.bought, "before": found.before, "after": found.after}
        for found in judgement.dials
    ]
    if "rmse" in judgement.models[0].metrics:
        yield [
            {"model": judged.name}
            | {name: _words(judged.metrics[name]) for name in ("mae", "rmse")}
            for judged in judgement.models
        ]
    yield [
        {"difference": f"{pair.first} - {pair.second}", "metric": pair.metric}
        | {"": _words(pair.difference), "p": pair.p}
        for pair in judgement.paired
    ]
    for name, values in judgement.models[0].groups.items():
        if {name, name.partition(".")[2]} & set(groups):
            yield [
                {name: value, **_of_group(figures, judgement.cutoffs)}
                for value, figures in values.items()
            ]


def _kinds(domain: Domain) -> dict[str, Any]:
    """What the domain's dials speak of, by the names of a snapshot's properties."""

    def named(field: str | None) -> str | None:
        if field is None:
            return None
        node = domain.item.fields[field].node
        return f"item.{node.label if node else field}"

    groups = {name: group.makers for name, group in domain.groups.items()}
    item = domain.item
    return {"categories": named(item.categories), "makers": named(item.makers), "groups": groups}


def _of_group(figures: dict[str, float], cutoffs: list[int]) -> dict[str, float | None]:
    """Counts and shares, and the accuracies that the group has."""
    counted = {name: value for name, value in figures.items() if name.partition("@")[0] in COUNTED}
    ranked = [f"{name}@{k}" for k in cutoffs for name in ("ndcg", "recall")]
    return counted | {name: figures.get(name) for name in ranked}


def _words(figure: Interval) -> str:
    return f"{figure.value:.4f} ({figure.low:.4f} to {figure.high:.4f})"
