"""LightGCN over id embeddings and text; it knows how to be exported, not how it is trained."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.model import Vectors, unit
from training.propagation import Propagation, inverse_sqrt
from training.world import World


class LightGCNConfig(EmbeddingConfig):
    """`hops`: L, neighbourhoods away."""

    name: ClassVar[str] = "lightgcn"

    hops: int = Field(default=2, ge=0, le=8)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "LightGCN":
        """The untrained model on `world`."""
        return LightGCN(self, world, seed=seed, device=device)


class LightGCN(EmbeddingModel):
    """LightGCN (He et al. 2020) whose items start from id embedding + W·text.

    The final vectors are the means over hops 0..L of Propagation(graph).
    """

    def __init__(
        self,
        config: LightGCNConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        super().__init__(config, world, seed=seed, device=device)
        self.config = config
        self.propagation = Propagation(world.graph, config.hops, device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        return self.propagation(*self.hop_zero())

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of these rows, over the edges of these rows in the last hop."""
        return self.propagation.rows(*self.hop_zero(), user_rows, item_rows)

    @torch.no_grad()
    def export(self, *, cosine: bool = True) -> Vectors:
        """The vectors with which the scorer (history exponent 1/2) gives our scores.

        u_final = α_0 u^0 + d_u^-1/2 Σ_i a_ui d_i^-1/2 Σ_{l<L} α_{l+1} i^(l): the first part is e,
        z_i = d_i^-1/2 Σ_{l<L} α_{l+1} i^(l). An item without events takes part as after a first
        event of weight 1.
        """
        users, items = self.hop_zero()
        alpha = 1 / (self.config.hops + 1)
        _, item_sum = self.propagation.hop_sums(users, items, max(self.config.hops - 1, 0))
        degree = self.propagation.item_degree
        scale = inverse_sqrt(np.where(degree > 0, degree, 1)) * (alpha if self.config.hops else 0)
        v = self()[1].cpu().numpy()
        return Vectors(
            item_vectors=unit(v) if cosine else v,
            event_vectors=(item_sum.cpu().numpy() * scale[:, None]).astype(np.float32),
            residuals=(users * alpha).cpu().numpy(),
        )
