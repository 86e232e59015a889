"""BSL, the bilateral softmax loss, as its authors' code has it."""

from typing import ClassVar

import torch
from pydantic import Field

from training.logits import cross_logits, pair_logits, weighted_mean
from training.loss import Batch, Loss, LossConfig
from training.world import World


class BslConfig(LossConfig):
    """`tilt`: t2, the power of the negatives' sum; `negatives`: 0 takes the batch's other items.

    The authors' settings: Gowalla, LightGCN of one hop, in-batch, τ .12, t2 .84; ML-1M, one hop,
    800 drawn, τ .15, t2 1.10; Amazon-Electronics, three hops, in-batch, τ .30, t2 .80.
    """

    name: ClassVar[str] = "bsl"

    temperature: float = Field(default=0.12, gt=0, le=10)
    tilt: float = Field(default=0.84, gt=0, le=10)

    def build(self, world: World, device: torch.device | str = "cpu") -> "Bsl":
        """The loss; the world has nothing to add."""
        return Bsl(self)


class Bsl(Loss):
    """mean_w[ t2 · log Σ_j exp s(u,j)/τ - s(u,i)/τ ], the row's own positive not in the sum.

    The form "reweight" of the code beside Wu et al. 2024, "BSL: Understanding and Improving
    Softmax Loss for Recommendation"; t2 = 1 is the softmax loss without the positive. The papers
    on PSL and SL@K call another formula BSL (negatives at a temperature of their own, the
    log-sum-exp times τ2/τ1): settings do not carry over.

    In the batch, another row's item counts as a negative even when it is the same item. A batch of
    one row has no negatives: then only the positive is pulled.
    """

    def __init__(self, config: BslConfig):
        self.config = config

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        positive = pair_logits(self.config, left, items.index_select(0, batch.item_index))
        if self.config.negatives:
            negative = cross_logits(self.config, left, items.index_select(0, batch.negatives))
            return self._mean(positive, torch.logsumexp(negative, dim=1), batch)
        if len(positive) == 1:
            return self._mean(positive, torch.zeros_like(positive), batch)
        # An item that is n times in the batch is computed once and counts n times, n - 1 in its
        # own rows.
        unique, row, count = batch.item_index.unique(return_inverse=True, return_counts=True)
        others = count.float().log().repeat(len(row), 1)
        others[torch.arange(len(row), device=row.device), row] = (count[row] - 1).float().log()
        logits = cross_logits(self.config, left, items.index_select(0, unique))
        return self._mean(positive, torch.logsumexp(logits + others, dim=1), batch)

    def _mean(self, positive: torch.Tensor, log_sum: torch.Tensor, batch: Batch) -> torch.Tensor:
        return weighted_mean(self.config.tilt * log_sum - positive, batch.weight)
