"""SL@K: a softmax loss that weighs each positive by how near the user's first K it stands."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from training.loss import Batch, Loss, LossConfig
from training.running.logits import cross_logits, log_sums, pair_logits, weighted_mean
from training.world import World

USERS_AT_ONCE = 512


class SlAtKConfig(LossConfig):
    """`k`: K; `tau_beta`: τ_β of the weights, .5 to 3; `refresh_every`: epochs.

    The authors' settings on Gowalla, K 20, 1,000 drawn: LightGCN τ .1, τ_β .75, every 5 epochs; MF
    the same with τ_β 1, every 20.
    """

    name: ClassVar[str] = "sl_at_k"

    negatives: int = Field(default=1_000, ge=1, le=65_536)
    similarity: Literal["cosine"] = "cosine"
    temperature: float = Field(default=0.1, gt=0, le=10)
    k: int = Field(default=20, ge=1, le=1_000)
    tau_beta: float = Field(default=0.75, gt=0, le=10)
    refresh_every: int = Field(default=5, ge=1, le=1_000)

    def build(self, world: World, device: torch.device | str = "cpu") -> "SlAtK":
        """The loss on `world`'s positives."""
        return SlAtK(self, world, device)


class SlAtK(Loss):
    """mean_w[ σ((cos(u,i) - β_u)/τ_β) · log Σ_{j drawn} exp((cos(u,j) - cos(u,i))/τ) ].

    Yang et al. 2025, "Breaking the Top-K Barrier". β_u is the K-th highest cosine among the user's
    positives and as many items as are drawn for a batch (the lowest where there are fewer than K);
    it is refreshed before the first epoch and then every `refresh_every`, without gradient. The
    weight itself has one, as in the authors' code.
    """

    def __init__(self, config: SlAtKConfig, world: World, device: torch.device | str):
        self.config = config
        self.cosine = config.model_copy(update={"temperature": 1.0})
        self.graph = world.graph
        self.beta = torch.zeros(self.graph.shape[0], device=device)

    def refresh(self, epoch: int, users: torch.Tensor, items: torch.Tensor) -> None:
        """Find β before epoch 1, 1 + n, 1 + 2n, …; the items drawn depend on the epoch alone."""
        if (epoch - 1) % self.config.refresh_every:
            return
        drawn = np.random.default_rng(epoch).integers(0, len(items), self.config.negatives)
        for start in range(0, len(users), USERS_AT_ONCE):
            rows = slice(start, start + USERS_AT_ONCE)
            self.beta[rows] = self._threshold(rows, drawn, users[rows], items)

    def _threshold(
        self, rows: slice, drawn: np.ndarray, users: torch.Tensor, items: torch.Tensor
    ) -> torch.Tensor:
        """β [B] of the users in `rows`, whose vectors are `users` [B, d]."""
        part = self.graph[rows]
        liked = torch.from_numpy(part[:, drawn].toarray() > 0).to(users.device)
        sampled = cross_logits(self.cosine, users, items[torch.from_numpy(drawn).to(users.device)])
        sampled.masked_fill_(liked, -torch.inf)
        # The positives of each user side by side, padded to the longest history.
        count = np.diff(part.indptr)
        owner = torch.from_numpy(np.repeat(np.arange(len(count)), count)).to(users.device)
        place = np.arange(part.nnz) - np.repeat(part.indptr[:-1], count)
        own = sampled.new_full((len(count), max(count, default=0)), -torch.inf)
        liked_items = items[torch.from_numpy(part.indices.astype(np.int64)).to(users.device)]
        own[owner, torch.from_numpy(place).to(users.device)] = pair_logits(
            self.cosine, users[owner], liked_items
        )
        scores = torch.cat([own, sampled], dim=1)
        known = (scores > -torch.inf).sum(dim=1)
        ranked = scores.topk(min(self.config.k, scores.shape[1]), dim=1).values
        last = known.clamp(1, ranked.shape[1]) - 1
        return ranked.gather(1, last[:, None])[:, 0].nan_to_num(neginf=0.0)

    def __call__(self, users: torch.Tensor, items: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The mean over the batch, weighted by the positives' weights."""
        left = users.index_select(0, batch.user_index)
        right = items.index_select(0, batch.item_index)
        cosine = pair_logits(self.cosine, left, right)
        beta = batch.of_users(self.beta)[batch.user_index]
        nearness = torch.sigmoid((cosine - beta) / self.config.tau_beta)
        drawn = items.index_select(0, batch.negatives)
        total = log_sums(self.config, left, drawn, nearness * batch.weight) / batch.weight.sum()
        return total - weighted_mean(nearness * cosine / self.config.temperature, batch.weight)

    def state(self) -> dict[str, torch.Tensor]:
        """β [U]."""
        return {"beta": self.beta}

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take β [U] back."""
        self.beta.copy_(state["beta"])
