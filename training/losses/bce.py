"""Binary cross-entropy: positives are 1, drawn items are 0."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch.nn import functional

from training.loss import Batch, Loss, LossConfig
from training.running.logits import cross_logits, pair_logits, weighted_mean
from training.world import World


class BceConfig(LossConfig):
    """`negative_weight`: what all drawn items together weigh beside one positive."""

    name: ClassVar[str] = "bce"

    negatives: int = Field(default=64, ge=1, le=65_536)
    similarity: Literal["cosine", "inner_product"] = "inner_product"
    temperature: float = Field(default=1, gt=0, le=10)
    negative_weight: float = Field(default=1, gt=0, le=1_000)

    def build(self, world: World, device: torch.device | str = "cpu") -> "Bce":
        """The loss; the world has nothing to add."""
        return Bce(self)


class Bce(Loss):
    """mean_w[ -log σ(s(u,i)/τ) - α mean_j log(1 - σ(s(u,j)/τ)) ], α the negatives' weight.

    The loss of NCF (He et al. 2017, equation 7) with the batch's drawn items as negatives.
    """

    def __init__(self, config: BceConfig):
        self.config = config

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.config, left, items.index_select(0, batch.item_index))
        negative = cross_logits(self.config, left, items.index_select(0, batch.negatives))
        pushed = functional.softplus(negative).mean(dim=1)
        each = functional.softplus(-positive) + self.config.negative_weight * pushed
        return weighted_mean(each, batch.weight)
