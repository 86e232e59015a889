"""`python -m training attention SNAPSHOT ARTIFACT`: write what the artifact's model attends to."""

import argparse
from pathlib import Path

from training.attended import export_attention
from training.running.loop import Progress, Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command is given."""
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("artifact", type=Path)


def run(options: argparse.Namespace, report: Report) -> dict:
    """Write attention.parquet; the last line to print."""
    report(Progress("attention", 0, 1))
    rows = export_attention(options.snapshot, options.artifact)
    report(Progress("attention", 1, 1))
    return {"attention": rows}
