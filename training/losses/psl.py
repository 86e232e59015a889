"""PSL, the pairwise softmax loss: a softmax whose exponential is replaced by something tamer."""

from typing import ClassVar, Literal

import torch
from pydantic import Field

from training.loss import Batch, Loss, LossConfig
from training.running.logits import cross_logits, pair_logits, weighted_mean
from training.world import World

ACTIVATIONS = {
    "tanh": lambda d: torch.tanh(d) + 1,
    "atan": lambda d: torch.atan(d) + 1,
    "relu": lambda d: torch.relu(d + 1),
}


class PslConfig(LossConfig):
    """`activation`: in place of the exponential; `temperature`: τ*, about half of the softmax's."""

    name: ClassVar[str] = "psl"

    negatives: int = Field(default=1_000, ge=1, le=65_536)
    similarity: Literal["cosine"] = "cosine"
    temperature: float = Field(default=0.05, gt=0, le=10)
    activation: Literal["tanh", "atan", "relu"] = "tanh"

    def build(self, world: World, device: torch.device | str = "cpu") -> "Psl":
        """The loss; the world has nothing to add."""
        return Psl(self)


class Psl(Loss):
    """mean_w[ log Σ_{j drawn} σ(d_uij)^(1/τ*) ], d_uij = (cos(u,j) - cos(u,i))/2.

    Yang et al. 2024, "PSL: Rethinking and Improving Softmax Loss from Pairwise Perspective"; σ is
    tanh(d)+1, atan(d)+1 or relu(d+1). Only by cosine: d has to lie within ±1.
    """

    def __init__(self, config: PslConfig):
        self.config = config
        self.half = config.model_copy(update={"temperature": 2.0})

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.half, left, items.index_select(0, batch.item_index))
        negative = cross_logits(self.half, left, items.index_select(0, batch.negatives))
        difference = ACTIVATIONS[self.config.activation](negative - positive[:, None])
        # relu reaches 0 at d = -1, whose logarithm has no gradient.
        powers = difference.clamp(min=1e-6).log() / self.config.temperature
        return weighted_mean(torch.logsumexp(powers, dim=1), batch.weight)
