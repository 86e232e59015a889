"""Softmax over the whole catalogue."""

from typing import ClassVar

import torch

from training.loss import Batch, Loss, LossConfig
from training.running.logits import log_sums, pair_logits, weighted_mean
from training.world import World


class SoftmaxConfig(LossConfig):
    """Nothing but the score and its temperature."""

    name: ClassVar[str] = "softmax"

    def build(self, world: World, device: torch.device | str = "cpu") -> "Softmax":
        """The loss; the world has nothing to add."""
        return Softmax(self)


class Softmax(Loss):
    """mean_w[ log Σ_j exp s(u,j)/τ - s(u,i)/τ ] over all items j.

    It costs the batch's users times the catalogue: up to some ten thousand items.
    """

    every_item: ClassVar[bool] = True

    def __init__(self, config: SoftmaxConfig):
        self.config = config

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        unique, row = batch.user_index.unique(return_inverse=True)
        left = users.index_select(0, unique)
        weight = batch.weight.new_zeros(len(left)).index_add_(0, row, batch.weight)
        total = log_sums(self.config, left, items, weight)
        positive = pair_logits(
            self.config, left.index_select(0, row), items.index_select(0, batch.item_index)
        )
        return total / weight.sum() - weighted_mean(positive, batch.weight)
