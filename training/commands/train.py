"""`python -m training train SNAPSHOT ARTIFACT`: train an artifact.

Killed and started again it goes on from its checkpoints, which are there until the artifact is
written.
"""

import argparse
import time
from pathlib import Path

from training.errors import SettingError
from training.running.checkpoints import Checkpoints
from training.running.loop import Report
from training.running.options import DEVICES, RunOptions, running_with
from training.running.tensorboard import both, scalar_log
from training.search.choice import Choice
from training.train import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", default="latest", help="how the part to judge by is taken")
    parser.add_argument("--against", type=Path, help="the artifact that serves")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument(
        "--checkpoint-minutes", type=float, default=5, help="between two checkpoints"
    )
    parser.add_argument(
        "--checkpoints", type=Path, help="their directory; without it one beside the artifact"
    )
    parser.add_argument("--budget-minutes", type=float, help="refuse what would take longer")
    parser.add_argument(
        "--from", type=Path, dest="start", metavar="ARTIFACT", help="go on from its parameters"
    )
    parser.add_argument(
        "--logs", type=Path, help="TensorBoard's scalars; without it the artifact's tensorboard/"
    )
    Choice.add_arguments(parser)


def run(options: argparse.Namespace, report: Report) -> dict:
    """Train; the last line to print."""
    artifact, choice = options.artifact, Choice.of(options)
    if options.start and choice != Choice():
        raise SettingError(
            f"--from {options.start} takes that artifact's settings as they are: leave out what"
            " else is asked for"
        )
    config = choice.chosen().recipe()
    kept = options.checkpoints or artifact.with_name(f".{artifact.name}.training")
    checkpoints = Checkpoints(kept, options.checkpoint_minutes)
    deadline = None
    if options.budget_minutes is not None:
        deadline = time.monotonic() + 60 * options.budget_minutes
    with (
        running_with(RunOptions(options.device, checkpoints, deadline)),
        scalar_log(artifact, options.logs) as scalars,
    ):
        model = train(
            options.snapshot,
            artifact,
            seed=options.seed,
            config=config,
            split=options.split,
            against=options.against,
            start=options.start,
            progress=both(report, scalars),
        )
    checkpoints.remove()
    return {"model": model.id, "metrics": model.metrics, "seconds": model.seconds}
