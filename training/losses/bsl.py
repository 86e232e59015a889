"""BSL, the bilateral softmax loss, as its authors' code has it."""

from typing import ClassVar

import torch
from pydantic import Field

from training.loss import Batch, Loss, LossConfig
from training.running.logits import log_sums, pair_logits, weighted_mean
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
        total = self.config.tilt * self._log_sums(left, items, batch) / batch.weight.sum()
        return total - weighted_mean(positive, batch.weight)

    def _log_sums(
        self, left: torch.Tensor, items: torch.Tensor, batch: Batch
    ) -> torch.Tensor | float:
        if self.config.negatives:
            drawn = items.index_select(0, batch.negatives)
            return log_sums(self.config, left, drawn, batch.weight)
        if len(left) == 1:
            return 0.0
        # An item that is n times in the batch is computed once and counts n times, n - 1 in its
        # own rows.
        unique, row, count = batch.item_index.unique(return_inverse=True, return_counts=True)
        bias = count.float().log()
        own = row, (count - 1).float().log()[row] - bias[row]
        right = items.index_select(0, unique)
        return log_sums(self.config, left, right, batch.weight, bias, own=own)
