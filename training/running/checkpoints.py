"""What a killed training is continued from: a file each, written whole or not at all.

It knows states made of tensors and plain values, and files; not what is trained.
"""

import hashlib
import os
import pickle
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from training.errors import TrainingError


class CheckpointError(TrainingError):
    """A checkpoint that cannot be read; the message names the file."""


class Checkpoints:
    """The trainings of one run, each in a file of `directory` named by its `fingerprint`.

    The state of one that goes on is written every `minutes`; one that ended keeps its end, so that
    a run that is started again passes over it.
    """

    def __init__(self, directory: Path, minutes: float = 5):
        self.directory, self.minutes = directory, minutes

    def of(self, *parts: Any) -> "Checkpoint":
        """The checkpoint of the training that all `parts` together determine."""
        return Checkpoint(self.directory / f"{fingerprint(*parts)[:32]}.pt", self.minutes * 60)

    def remove(self) -> None:
        """Forget everything: the run has ended."""
        shutil.rmtree(self.directory, ignore_errors=True)


class Checkpoint:
    """The state of one training in `path`, written at most every `seconds`."""

    def __init__(self, path: Path, seconds: float):
        self.path, self.seconds = path, seconds
        self.saved = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether `seconds` have passed since the last one, or since the start."""
        return time.monotonic() - self.saved >= self.seconds

    def save(self, state: Mapping[str, Any]) -> None:
        """Write the state in place of the last one: after a kill at any moment one is whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        building = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with building.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        building.replace(self.path)
        self.saved = time.monotonic()

    def load(self, device: torch.device | str = "cpu") -> dict[str, Any] | None:
        """The last state, None where there is none. Raises CheckpointError."""
        if not self.path.is_file():
            return None
        try:
            return torch.load(self.path, map_location=device, weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise CheckpointError(
                f"{self.path} is not whole ({type(error).__name__}): remove it to train from the"
                " start"
            ) from None


def fingerprint(*parts: Any) -> str:
    """A hash of values, arrays, tensors, and dataclasses and mappings of them."""
    digest = hashlib.sha256()
    for piece in _pieces(parts):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    """What tells `value` from others, with its kind and size so that neighbours stay apart."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        yield f"{value.dtype}{value.shape}".encode()
        yield value.tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield type(value).__name__.encode()
        for field in fields(value):
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from _pieces(tuple(value.items()))
    elif isinstance(value, tuple | list):
        yield f"{len(value)} of".encode()
        for each in value:
            yield from _pieces(each)
    else:
        yield f"{type(value).__name__} {value!r};".encode()


def generators(model: nn.Module) -> dict[str, torch.Generator | np.random.Generator]:
    """The generators that a model and its parts hold, by where they stand."""
    return {
        f"{place}.{name}": value
        for place, part in model.named_modules()
        for name, value in vars(part).items()
        if isinstance(value, torch.Generator | np.random.Generator)
    }


def generator_states(model: nn.Module) -> dict[str, Any]:
    """Of torch's own generators and those that the model holds."""
    held = {
        name: each.get_state() if isinstance(each, torch.Generator) else each.bit_generator.state
        for name, each in generators(model).items()
    }
    cuda = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
    return {"torch": torch.get_rng_state(), "cuda": cuda, "held": held}


def load_generator_states(model: nn.Module, states: Mapping[str, Any]) -> None:
    """Take back what `generator_states` gave."""
    torch.set_rng_state(states["torch"].cpu())
    if states["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"].cpu())
    for name, each in generators(model).items():
        state = states["held"][name]
        if isinstance(each, torch.Generator):
            each.set_state(state.cpu())
        else:
            each.bit_generator.state = state
