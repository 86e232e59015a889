"""Squared error on ratings; on weights where nobody rated."""

from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from training.loss import Batch, Loss, LossConfig
from training.running.logits import cross_logits, pair_logits, weighted_mean
from training.world import World


class MseConfig(LossConfig):
    """`negatives`: 0 fits the ratings alone; `negative_weight`: of the drawn items' error."""

    name: ClassVar[str] = "mse"

    negatives: int = Field(default=64, ge=0, le=65_536)
    similarity: Literal["cosine", "inner_product"] = "inner_product"
    temperature: float = Field(default=1, gt=0, le=10)
    negative_weight: float = Field(default=1, gt=0, le=1_000)

    def build(self, world: World, device: torch.device | str = "cpu") -> "Mse":
        """The loss, with ratings and weights on the world's scale."""
        return Mse(self, world)


class Mse(Loss):
    """mean_w[ (s(u,i)/τ - t_ui)² + α mean_j (s(u,j)/τ)² ].

    The target t is the pair's latest rating over the world's largest |rating|; a pair without a
    rating has its weight over the largest weight instead. So every target lies within ±1 and equal
    ratings are no special case. Drawn items are pulled to 0, as in Hu et al. 2008: without them
    scores predict ratings and do not rank what nobody rated.
    """

    def __init__(self, config: MseConfig, world: World):
        self.config = config
        self.value_scale = _largest(np.abs(world.positive_values))
        self.weight_scale = _largest(world.graph.data)

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.config, left, items.index_select(0, batch.item_index))
        rated = batch.value / self.value_scale
        target = torch.where(rated.isnan(), batch.weight / self.weight_scale, rated)
        each = (positive - target).square()
        if len(batch.negatives):
            negative = cross_logits(self.config, left, items.index_select(0, batch.negatives))
            each = each + self.config.negative_weight * negative.square().mean(dim=1)
        return weighted_mean(each, batch.weight)


def _largest(values: np.ndarray) -> float:
    known = values[np.isfinite(values) & (values > 0)]
    return float(known.max()) if len(known) else 1.0
