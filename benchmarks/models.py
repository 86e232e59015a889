"""Every model and closed form beside the others, each with settings found within the same budget.

    python -m benchmarks.models [--minutes 5] [--trials 60] [--only DATA/NAME …]
                                [--snapshot NAME=FOLDER …] [--results FOLDER] [--table]

A cell is one name on one data set: settings are searched on validation within `--minutes` and
`--trials`, whichever is spent first, the best are fitted, and the test part is looked at once,
without a closed form beside a model. Each runs in a process of its own; its figures are kept in a
file of `--results`, and what is there is not run again; a search that was killed goes on. Data:
ml100k (by the protocol of benchmarks.ml100k), gowalla (its own files; closed forms, and models that
can do with the vectors of a batch), and any `--snapshot` by global time, its last tenth asked for.
`--table` prints what there is as Markdown.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import show
from training.threads import wait_briefly

wait_briefly()

if TYPE_CHECKING:
    from training.judging.evaluation import Scores
    from training.search.study import Study, Subject
    from training.splits import Split
    from training.world import World

DATA = Path(__file__).parents[2] / "shared" / "data"
CUTOFFS = (10, 20)
TEST_SHARE = 0.1
SEED = 1


def main() -> None:
    """Run what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="of search, for each cell")
    parser.add_argument("--trials", type=int, default=60, help="of search at most, for each cell")
    parser.add_argument("--only", nargs="+", metavar="DATA/NAME", help="these cells")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of ml-100k and gowalla")
    parser.add_argument("--snapshot", nargs="+", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--results", type=Path, default=Path("models-results"))
    parser.add_argument("--table", action="store_true", help="print what was measured so far")
    options = parser.parse_args()
    snapshots = dict(named.split("=", 1) for named in options.snapshot)
    if options.table:
        print("\n".join(table(options.results)))
        return
    print(f"seed {SEED}", file=sys.stderr)
    wanted = options.only or [
        f"{data}/{name}"
        for data in ("ml100k", *snapshots, "gowalla")
        for name in names(of_batches=data == "gowalla")
    ]
    for cell in wanted:
        path = options.results / cell / "cell.json"
        if not path.is_file():
            if options.only and len(options.only) == 1:
                run(cell, path, options, snapshots)
            else:
                given = ["--snapshot", *options.snapshot] if options.snapshot else []
                given += ["--data", str(options.data), "--results", str(options.results)]
                told = [sys.executable, "-m", *command(cell, options), *given]
                subprocess.run(told, stdout=subprocess.DEVNULL, check=False)
        if path.is_file():
            measured = json.loads(path.read_text())
            name = f"models.{cell.replace('/', '.')}.ndcg@10"
            ends = {end: round(measured["ndcg@10"][end], 4) for end in ("low", "high")}
            show(name, measured["ndcg@10"]["value"], "ndcg@10", **ends)


def command(cell: str, options: argparse.Namespace) -> list[str]:
    """What runs one cell, after `python -m`."""
    budget = ["--minutes", f"{options.minutes:g}", "--trials", str(options.trials)]
    return ["benchmarks.models", *budget, "--only", cell]


def names(*, of_batches: bool) -> list[str]:
    """Closed forms, then models; of these, where asked, those that need not give every vector."""
    import numpy as np

    from training.closed_form import ClosedFormConfig
    from training.data import interactions
    from training.model import Model, ModelConfig
    from training.world import World

    pair = np.zeros(1, np.int64)
    world = World(interactions(pair, pair, 1, 1))
    models = [
        name
        for name, kind in ModelConfig.kinds().items()
        if not of_batches or type(kind.of(name).build(world, seed=SEED)).rows is not Model.rows
    ]
    return [*ClosedFormConfig.kinds(), *models]


def read(data: str, options: argparse.Namespace, snapshots: dict) -> "tuple[World, Split]":
    """What is known of a data set, and its split."""
    from training.splits import Split, split
    from training.world import World

    if data == "ml100k":
        from benchmarks.ml100k import protocol_split, read_ratings

        train, test = protocol_split(read_ratings(options.data / "ml-100k"))
        return World(train), Split("protocol of benchmarks.ml100k", train, train, test)
    if data == "gowalla":
        from benchmarks.split_files import read_split_files

        folder = options.data / "gowalla"
        files = read_split_files(folder / "train.txt", folder / "test.txt")
        return World(files.train), Split("its files", files.train, files.train, files.test)
    if data not in snapshots:
        known = ", ".join(("ml100k", "gowalla", *snapshots))
        sys.exit(f"no data set {data!r}: expected one of {known}, or --snapshot {data}=FOLDER")
    from graphdb.snapshot import read_snapshot
    from training.snapshots import snapshot_world

    world = snapshot_world(read_snapshot(Path(snapshots[data])))
    return world, split(world.interactions, "time", TEST_SHARE, SEED)


def run(cell: str, path: Path, options: argparse.Namespace, snapshots: dict) -> None:
    """Search, fit and judge one cell; its figures go to `path`, what refuses it as well."""
    from training.errors import TrainingError
    from training.judging.assessment import Assessment
    from training.search.study import Study

    data, name = cell.split("/")
    world, parts = read(data, options, snapshots)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"cell": cell, "minutes": options.minutes, "command": command(cell, options)}
    try:
        subject, fitted = of_name(name, world.with_interactions(parts.train), parts, data)
        with Study.open(path.parent, subject, SEED) as study:
            for row in searched(study, options):
                print(f"{cell}: {row}", file=sys.stderr)
            started = time.monotonic()
            scores, settings = fitted(study)
            seconds = time.monotonic() - started
            trials, spent, best = len(study.rows()), study.seconds, study.best_value
        judged = Assessment(world, parts, SEED, CUTOFFS).judge({name: scores}).model(name)
        figures = {
            metric: judged.metrics[metric].model_dump() for metric in ("ndcg@10", "recall@20")
        }
        told |= figures | {"settings": settings, "trials": trials, "validation": best}
        told |= {"search_seconds": round(spent, 1), "seconds": round(seconds, 1)}
    except TrainingError as error:
        sys.exit(f"{cell}: {error}")
    told["rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    path.write_text(json.dumps(told, indent=2) + "\n")


def searched(study: "Study", options: argparse.Namespace) -> Iterator[dict]:
    """The last trial's row, after each."""
    for _ in study.run(options.minutes, options.trials):
        yield study.rows()[-1]


def of_name(
    name: str, world: "World", parts: "Split", data: str
) -> "tuple[Subject, Callable[[Study], tuple[Scores, dict]]]":
    """What is searched, and what fits the best of a study: scores and settings."""
    from training.closed_form import ClosedFormConfig
    from training.judging.baselines import closed_form_scores
    from training.judging.contest import fitted_scores
    from training.search.choice import Choice, Chosen
    from training.search.recipe import fit
    from training.search.search_space import SearchSpace, with_values
    from training.search.tuning import ClosedFormSubject, ModelSubject

    chosen = Choice(model=None if name in ClosedFormConfig.kinds() else name).chosen()
    space = SearchSpace(chosen.model, chosen.training)
    models = ModelSubject.of(world, space, data, SEED)
    if name in ClosedFormConfig.kinds():
        form = ClosedFormConfig.of(name)

        def closed(study: "Study") -> "tuple[Scores, dict]":
            settings = with_values(form, study.best or {})
            popularity = world.interactions.popularity()
            scores = closed_form_scores(settings, world.graph, parts.history.graph(), popularity)
            return scores, settings.described()

        return ClosedFormSubject(models.validation, form, data), closed

    def trained(study: "Study") -> "tuple[Scores, dict]":
        model, training = space.settings(study.best or space.start)
        settled = Chosen(model, training, frozenset(), True, (), sole=True, settled=True)
        fitted = fit(world, settled.recipe(), seed=SEED)
        return fitted_scores(fitted, parts), fitted.settings.recipe()

    return models, trained


def table(results: Path) -> list[str]:
    """What was measured, a line of Markdown a cell, the best of each data set first."""
    cells = [json.loads(path.read_text()) for path in sorted(results.glob("*/*/cell.json"))]
    cells.sort(key=lambda cell: (cell["cell"].split("/")[0], -cell["ndcg@10"]["value"]))
    lines = [
        "| data/name | nDCG@10 | Recall@20 | budget | trials | fit | memory | command |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cell in cells:
        ndcg, recall = (_interval(cell[metric]) for metric in ("ndcg@10", "recall@20"))
        lines.append(
            f"| {cell['cell']} | {ndcg} | {recall} | {cell['minutes']:g} min | {cell['trials']}"
            f" | {cell['seconds']:.0f} s | {cell['rss_mb']:,} MB"
            f" | `python -m {' '.join(cell['command'])}` |"
        )
    return lines


def _interval(figure: dict) -> str:
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"


if __name__ == "__main__":
    main()
