"""`python -m training train SNAPSHOT ARTIFACT`: train an artifact."""

import argparse
from pathlib import Path

from training.choice import Choice
from training.loop import Report
from training.train import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    Choice.add_arguments(parser)


def run(options: argparse.Namespace, report: Report) -> dict:
    """Train; the last line to print."""
    config = Choice.of(options).chosen().recipe()
    model = train(
        options.snapshot, options.artifact, seed=options.seed, config=config, progress=report
    )
    return {"model": model.id, "metrics": model.metrics, "seconds": model.seconds}
