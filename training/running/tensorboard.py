"""Scalars for TensorBoard while training runs: one a figure and epoch, of every model tried.

It knows what a run reports; neither models nor how they are trained.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from training.running.loop import Progress, Report, silent
from training.running.ranks import Ranks

FOLDER = "tensorboard"
FLUSH_S = 5
"""What is on disk is at most so old."""


def live_directory(artifact: Path) -> Path:
    """Where the scalars of an artifact are while it is trained: beside it, for it is not there."""
    return artifact.with_name(f".{artifact.name}.{FOLDER}")


@contextmanager
def scalar_log(artifact: Path, directory: Path | None = None) -> Generator[Report]:
    """A report that writes figures as `STEP/FIGURE` at their epoch, into `directory`.

    Without one they are in `live_directory` until the block ends, then in the artifact's
    `tensorboard/`: `tensorboard --logdir` on the folder of artifacts shows every run. A run that
    goes on from a checkpoint adds to what is there. Of several processes the first writes.
    """
    if not Ranks.current().first:
        yield silent
        return
    # Loaded where it is used: a second.
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(directory or live_directory(artifact)), flush_secs=FLUSH_S)

    def write(progress: Progress) -> None:
        for name, value in progress.figures.items():
            writer.add_scalar(tag(progress.step, name), value, progress.done)

    try:
        yield write
    finally:
        writer.close()
    if directory is None:
        live_directory(artifact).rename(artifact / FOLDER)


def tag(step: str, figure: str) -> str:
    """The name of a figure's curve: TensorBoard takes letters, digits and `-._/` only."""
    return "/".join(re.sub(r"[^\w.-]+", "_", part) for part in (step, figure))


def both(one: Report, other: Report) -> Report:
    """A report to two."""

    def report(progress: Progress) -> None:
        one(progress)
        other(progress)

    return report
