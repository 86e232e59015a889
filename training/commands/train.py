"""`python -m training train SNAPSHOT ARTIFACT`: train an artifact."""

import argparse
from pathlib import Path

from training.loop import Report
from training.train import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", default="latest", help="how the part to judge by is taken")
    parser.add_argument("--against", type=Path, help="the artifact that serves")


def run(options: argparse.Namespace, report: Report) -> dict:
    """Train; the last line to print."""
    model = train(
        options.snapshot,
        options.artifact,
        seed=options.seed,
        split=options.split,
        against=options.against,
        progress=report,
    )
    return {"model": model.id, "metrics": model.metrics, "seconds": model.seconds}
