"""What the loop asks of any loss: settings that build it, and a scalar for a batch.

One file a loss, in training.losses; it knows final vectors, neither the graph nor the model.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import Field

from training.named import Named, Search
from training.world import World


@dataclass(frozen=True)
class Batch:
    """B positives and the items drawn for all of them.

    user_index, item_index: int64 [B]; weight: float32 [B]; value: float32 [B], the pair's latest
    rating, NaN without one; negatives: int64 [N], item rows drawn uniformly.
    """

    user_index: torch.Tensor
    item_index: torch.Tensor
    weight: torch.Tensor
    value: torch.Tensor
    negatives: torch.Tensor


class Loss(ABC):
    """A loss on one world and device."""

    @abstractmethod
    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, a scalar, of final vectors `users` [U, d] and `items` [I, d]."""

    def refresh(self, epoch: int, users: torch.Tensor, items: torch.Tensor) -> None:  # noqa: B027
        """Called before each epoch (from 1) with vectors [U, d] and [I, d] without gradients."""


class LossConfig(Named):
    """A loss's settings; subclass it in the loss's file.

    `negatives`: items drawn uniformly for each batch and shared by its rows.
    """

    room: ClassVar[str] = "training.losses"
    noun: ClassVar[str] = "loss"
    search: ClassVar[Search] = {"negatives": None}

    negatives: int = Field(default=0, ge=0, le=65_536)

    @abstractmethod
    def build(self, world: World, device: torch.device | str = "cpu") -> Loss:
        """The loss on `world`'s positives."""
