"""BPR: a positive ranks above the items drawn beside it."""

from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch.nn import functional

from training.loss import Batch, Loss, LossConfig
from training.running.logits import cross_logits, pair_logits, weighted_mean
from training.world import World


class BprConfig(LossConfig):
    """`negatives`: compared with each positive; `temperature`: 1 is the paper's."""

    name: ClassVar[str] = "bpr"

    negatives: int = Field(default=64, ge=1, le=65_536)
    similarity: Literal["cosine", "inner_product"] = "inner_product"
    temperature: float = Field(default=1, gt=0, le=10)

    def build(self, world: World, device: torch.device | str = "cpu") -> "Bpr":
        """The loss; the world has nothing to add."""
        return Bpr(self)


class Bpr(Loss):
    """mean_w,j[ -log σ(s(u,i)/τ - s(u,j)/τ) ] (Rendle et al. 2009, BPR-Opt).

    Each row is compared with every item drawn for the batch, not with one of its own; a drawn item
    that the user happens to like counts as a negative, as it does for every loss that draws.
    """

    def __init__(self, config: BprConfig):
        self.config = config

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.config, left, items.index_select(0, batch.item_index))
        negative = cross_logits(self.config, left, items.index_select(0, batch.negatives))
        each = functional.softplus(negative - positive[:, None]).mean(dim=1)
        return weighted_mean(each, batch.weight)
