"""What the loop asks of any loss: settings that build it, and a scalar for a batch.

One file a loss, in training.losses; it knows final vectors, neither the graph nor the model.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from pydantic import Field

from training.named import Named, Search
from training.world import World


@dataclass(frozen=True)
class Batch:
    """B positives and the items drawn for all of them.

    user_index, item_index: int64 [B]; weight: float32 [B]; value: float32 [B], the pair's latest
    rating, NaN without one; negatives: int64 [N], item rows drawn uniformly. The indices are places
    in the vectors that a loss is given: here those of all users [U, d] and items [I, d].
    """

    user_index: torch.Tensor
    item_index: torch.Tensor
    weight: torch.Tensor
    value: torch.Tensor
    negatives: torch.Tensor

    def of_users(self, table: torch.Tensor) -> torch.Tensor:
        """A table of all users [U, …] as it stands beside the vectors that a loss is given."""
        return table

    def of_items(self, table: torch.Tensor) -> torch.Tensor:
        """A table of all items [I, …] as it stands beside the vectors that a loss is given."""
        return table

    def compact(self) -> "CompactBatch":
        """The same positives and negatives among the vectors of their own users and items."""
        user_rows, users = self.user_index.unique(return_inverse=True)
        named = torch.cat([self.item_index, self.negatives])
        item_rows, places = named.unique(return_inverse=True)
        items, negatives = places[: len(self.item_index)], places[len(self.item_index) :]
        return CompactBatch(users, items, self.weight, self.value, negatives, user_rows, item_rows)


@dataclass(frozen=True)
class CompactBatch(Batch):
    """A batch beside the vectors of the users `user_rows` [u] and the items `item_rows` [i].

    Both int64, sorted, each once.
    """

    user_rows: torch.Tensor
    item_rows: torch.Tensor

    def of_users(self, table: torch.Tensor) -> torch.Tensor:
        """The rows [u, …] of a table of all users."""
        return table[self.user_rows]

    def of_items(self, table: torch.Tensor) -> torch.Tensor:
        """The rows [i, …] of a table of all items."""
        return table[self.item_rows]


class Loss(ABC):
    """A loss on one world and device.

    `every_item`: whether it needs vectors beyond those of the batch's own users, items and
    negatives; then it is given everybody's.
    """

    every_item: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, a scalar, of final vectors `users` [u, d] and `items` [i, d]."""

    def refresh(self, epoch: int, users: torch.Tensor, items: torch.Tensor) -> None:  # noqa: B027
        """Called before each epoch (from 1) with vectors [U, d] and [I, d] without gradients."""

    def state(self) -> dict[str, torch.Tensor]:
        """What `refresh` left and a continued training needs; nothing unless the loss knows."""
        return {}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:  # noqa: B027
        """Take back what `state` gave."""


class LossConfig(Named):
    """A loss's settings; subclass it in the loss's file.

    `negatives`: items drawn uniformly for each batch and shared by its rows; `similarity`: the
    score that is trained, and `temperature`: τ, which it is divided by; `l2`: λ of
    λ/2 · mean(|u|² + |i|²) over the final vectors of the batch's positives, which the loop adds.
    """

    room: ClassVar[str] = "training.losses"
    noun: ClassVar[str] = "loss"
    search: ClassVar[Search] = {"negatives": None}

    negatives: int = Field(default=0, ge=0, le=65_536)
    similarity: Literal["cosine", "inner_product"] = "cosine"
    temperature: float = Field(default=0.2, gt=0, le=10)
    l2: float = Field(default=0, ge=0, le=10)

    @abstractmethod
    def build(self, world: World, device: torch.device | str = "cpu") -> Loss:
        """The loss on `world`'s positives."""
