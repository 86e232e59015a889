"""Softmax over uniformly drawn items: the whole catalogue's, estimated."""

import math
from typing import ClassVar

import torch
from pydantic import Field

from training.loss import Batch, Loss, LossConfig
from training.running.logits import log_sums, pair_logits, weighted_mean
from training.world import World


class SampledSoftmaxConfig(LossConfig):
    """`negatives`: drawn for each batch; 512 rank ML-100K, 800 to 1,024 are the papers'."""

    name: ClassVar[str] = "sampled_softmax"

    negatives: int = Field(default=512, ge=1, le=65_536)

    def build(self, world: World, device: torch.device | str = "cpu") -> "SampledSoftmax":
        """The loss on `world`'s number of items."""
        return SampledSoftmax(self, world.graph.shape[1])


class SampledSoftmax(Loss):
    """mean_w[ log(exp s(u,i)/τ + (I-1)/N Σ_{j drawn} exp s(u,j)/τ) - s(u,i)/τ ].

    Sampled softmax (Jean et al. 2015) with uniform draws: each of the N stands for (I-1)/N of the
    other items, so that the sum is that of `softmax` on average.
    """

    def __init__(self, config: SampledSoftmaxConfig, item_count: int):
        self.config = config
        self.log_share = math.log(max(item_count - 1, 0) / config.negatives or 1e-30)

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.config, left, items.index_select(0, batch.item_index))
        drawn = items.index_select(0, batch.negatives)
        share = positive.new_full((len(drawn),), self.log_share)
        total = log_sums(self.config, left, drawn, batch.weight, share, beside=positive)
        return total / batch.weight.sum() - weighted_mean(positive, batch.weight)
