"""Softmax over the batch's own items, with or without the correction for their popularity."""

from typing import ClassVar

import numpy as np
import torch

from training.loss import Batch, Loss, LossConfig
from training.running.logits import log_sums, pair_logits, weighted_mean
from training.world import World


class InBatchSoftmaxConfig(LossConfig):
    """`log_q`: whether popular items are spared as negatives."""

    name: ClassVar[str] = "in_batch_softmax"

    log_q: bool = True

    def build(self, world: World, device: torch.device | str = "cpu") -> "InBatchSoftmax":
        """The loss on `world`'s positives."""
        return InBatchSoftmax(self, world, device)


class InBatchSoftmax(Loss):
    """Softmax over the batch's items.

    For the positives (u, i) of a batch with weights w:
    mean_w[ log Σ_{j in batch} exp(s(u,j)/τ - log q_j) - s(u,i)/τ + log q_i ], where q_j is the
    chance of item j to be in a batch (Yi et al. 2019, "Sampling-bias-corrected neural modeling"),
    or 1 without the correction. Uncorrected, popular items are punished as negatives: ML-100K
    nDCG@10 .15-.20 against .47.

    An item that is twice in the batch is computed once and counts twice, and so is a user: the
    same sum for a sixth of the cost on ML-100K.
    """

    def __init__(self, config: InBatchSoftmaxConfig, world: World, device: torch.device | str):
        self.config = config
        count = np.bincount(world.graph.indices, minlength=world.graph.shape[1])
        log_q = np.log(np.maximum(count, 1) / max(world.graph.nnz, 1))
        if not config.log_q:
            log_q[:] = 0
        self.item_log_q = torch.from_numpy(log_q.astype(np.float32)).to(device)

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        unique_users, user_row = batch.user_index.unique(return_inverse=True)
        unique_items, item_row, count = batch.item_index.unique(
            return_inverse=True, return_counts=True
        )
        left, right = users.index_select(0, unique_users), items.index_select(0, unique_items)
        log_q = batch.of_items(self.item_log_q)[unique_items]
        weight = batch.weight.new_zeros(len(left)).index_add_(0, user_row, batch.weight)
        total = log_sums(self.config, left, right, weight, count.log() - log_q)
        # Not left[user_row]: several threads would sum its gradients in any order.
        rows = left.index_select(0, user_row), right.index_select(0, item_row)
        positive = pair_logits(self.config, *rows) - log_q[item_row]
        return total / weight.sum() - weighted_mean(positive, batch.weight)
