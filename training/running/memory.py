"""How much memory there is and how much a training needs at least; the sentence where it is short.

It knows sizes and settings; not what is computed.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import torch
from torch import nn

from training.errors import TrainingError

CONTAINERS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)
"""Of cgroup 2 and 1: the limit, what is used, and how much of that is files that would give way."""

SHORT_OF_MEMORY = ("can't allocate memory", "not enough memory")
"""What torch says of the CPU's memory, in an error of no class of its own."""


class OutOfMemoryError(TrainingError):
    """A training that needs more memory than there is; the message names what to reduce."""


def available(device: torch.device, root: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that can still be had: of the GPU, or of the machine within its container's limit."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        reserved, used = torch.cuda.memory_reserved(device), torch.cuda.memory_allocated(device)
        return free + reserved - used
    room = [_room(root, *names) for names in CONTAINERS]
    return min([psutil.virtual_memory().available, *(each for each in room if each is not None)])


def _room(root: Path, limit: str, used: str, stat: str, files: str) -> int | None:
    """What a container's limit leaves, None where there is no such limit."""
    try:
        most = (root / limit).read_text().strip()
        taken = int((root / used).read_text())
        counts = dict(line.split() for line in (root / stat).read_text().splitlines())
    except OSError:
        return None
    return None if most == "max" else max(0, int(most) - taken + int(counts.get(files, 0)))


def needed(model: nn.Module, logits: int) -> int:
    """The fewest bytes with which `model` can be trained by AdamW.

    Beyond the parameters, which are there: their gradients, two moments, the best of them so far
    and the final vectors; and `logits` numbers of the loss with their gradients.
    """
    parameters = sum(each.numel() * each.element_size() for each in model.parameters())
    return 5 * parameters + 2 * 4 * logits


def require(model: nn.Module, device: torch.device, logits: int, reducible: Sequence[str]) -> int:
    """The bytes `needed`. Raises OutOfMemoryError where they are not there."""
    need, free = needed(model, logits), available(device)
    if need > free:
        raise OutOfMemoryError(
            f"training needs at least {_size(need)} on {device.type} and {_size(free)} are free:"
            f" {_reduce(reducible)}"
        )
    return need


@contextmanager
def naming_what_to_reduce(where: str, reducible: Sequence[str]) -> Generator[None]:
    """Turn whatever is raised for want of memory into an OutOfMemoryError that says what helps."""
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, RuntimeError) as error:
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not known and not any(words in str(error) for words in SHORT_OF_MEMORY):
            raise
        raise OutOfMemoryError(f"out of memory in {where}: {_reduce(reducible)}") from error


def _reduce(settings: Sequence[str]) -> str:
    return f"reduce {', '.join(settings)}, or raise accumulation"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
