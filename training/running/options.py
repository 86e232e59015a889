"""Where a training takes place and what it may use: nothing that a model learns from.

It knows devices and clocks; neither models nor data.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import torch

from training.errors import SettingError
from training.model import Model
from training.running.checkpoints import Checkpoints
from training.running.ranks import Ranks
from training.running.region import Region

DEVICES = ("auto", "cpu", "cuda")
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class RunOptions:
    """device: "auto" is CUDA where there is one, else the CPU; checkpoints: None keeps none.

    deadline: of time.monotonic(), by which everything has to be done; start: puts the parameters of
    a new model to where its training begins, instead of where they were drawn, and says which part
    of the graph is trained, None for all of it.
    """

    device: Device = "auto"
    checkpoints: Checkpoints | None = None
    deadline: float | None = None
    start: Callable[[Model], Region | None] | None = None


_IN_FORCE: ContextVar[RunOptions | None] = ContextVar("run options", default=None)


def current_options() -> RunOptions:
    """Those in force; without any the defaults."""
    return _IN_FORCE.get() or RunOptions()


@contextmanager
def running_with(options: RunOptions) -> Generator[None]:
    """Have every training inside take place with `options`.

    Like torch's default device they hold for all that a run calls, which need not hand them on.
    """
    token = _IN_FORCE.set(options)
    try:
        yield
    finally:
        _IN_FORCE.reset(token)


def choose_device(wanted: str | None = None) -> torch.device:
    """The device that is wanted, by the options in force; of several GPUs this process's own.

    Raises SettingError for CUDA where there is none and for another word.
    """
    wanted = wanted or current_options().device
    if wanted not in DEVICES:
        raise SettingError(f"device is {wanted!r}, expected one of {', '.join(DEVICES)}")
    found = torch.cuda.is_available()
    if wanted == "cuda" and not found:
        built = "this torch is built without CUDA" if torch.version.cuda is None else "none is seen"
        raise SettingError(
            f"device is 'cuda' and there is no CUDA device ({built}): ask for 'cpu', or for 'auto',"
            " which takes what there is"
        )
    if wanted == "cpu" or not found:
        return torch.device("cpu")
    return torch.device("cuda", Ranks.current().rank % torch.cuda.device_count())
