"""`python -m training tune SNAPSHOT STUDY`: search settings on validation, into a recipe's file.

Started again in the same directory it goes on where it was, killed or finished.
"""

import argparse
from pathlib import Path

from graphdb.snapshot import read_snapshot
from training.running.loop import Report
from training.running.options import DEVICES, RunOptions, running_with
from training.search.choice import RECIPE, Choice
from training.search.tuning import tune
from training.snapshots import snapshot_world
from training.splits import part_by
from training.train import TEST_SHARE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("study", type=Path)
    parser.add_argument("--minutes", type=float, default=5, help="all that is spent on trials")
    parser.add_argument("--trials", type=int, help="at most so many in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    Choice.add_arguments(parser)


def run(options: argparse.Namespace, report: Report) -> dict:
    """Search; the last line to print."""
    chosen = Choice.of(options).chosen()
    snapshot = read_snapshot(options.snapshot)
    world = snapshot_world(snapshot)
    # What `train` judges with the same seed on takes no part.
    part = part_by("latest", world.interactions, TEST_SHARE, options.seed).train
    with running_with(RunOptions(options.device)):
        recipe = tune(
            world.with_interactions(part),
            chosen,
            options.study,
            data=snapshot.manifest.id,
            minutes=options.minutes,
            seed=options.seed,
            most=options.trials,
            report=report,
        )
    return {"recipe": str(options.study / RECIPE), **recipe.tuned}
