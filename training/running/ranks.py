"""Several processes that train one model together, as torchrun starts them.

    python -m training train SNAPSHOT ARTIFACT --processes 2

Each runs the same program; a training deals every batch out to them and sums their gradients.
Rank 0 validates, writes and speaks. It knows neither models nor batches.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass(frozen=True)
class Ranks:
    """`rank` of `count` processes; alone it is 0 of 1."""

    rank: int = 0
    count: int = 1

    @staticmethod
    def current() -> "Ranks":
        """This process's place in the group that it joined."""
        if dist.is_available() and dist.is_initialized():
            return Ranks(dist.get_rank(), dist.get_world_size())
        return Ranks()

    @property
    def first(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def total(self, value: float, device: torch.device) -> float:
        """The sum of everybody's `value`."""
        if self.count == 1:
            return value
        summed = torch.tensor(value, dtype=torch.float64, device=device)
        dist.all_reduce(summed)
        return summed.item()

    def told_by_first(self, value: float, device: torch.device) -> float:
        """Rank 0's `value`, whatever the others'."""
        if self.count == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=device)
        dist.broadcast(told, 0)
        return told.item()


@contextmanager
def joined() -> Generator[Ranks]:
    """Join the others that torchrun started, for as long as it is open; alone it does nothing.

    By NCCL where there is a GPU for each process, else by gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield Ranks.current()
        return
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    backend = "nccl" if torch.cuda.device_count() >= local else "gloo"
    dist.init_process_group(backend)
    try:
        yield Ranks.current()
    finally:
        dist.destroy_process_group()
