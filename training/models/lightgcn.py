"""LightGCN over id embeddings and text; it knows how to be exported, not how it is trained."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from training.model import Model, ModelConfig, Vectors, unit
from training.propagation import Propagation, inverse_sqrt
from training.world import World


class LightGCNConfig(ModelConfig):
    """`dimensions`: d; `hops`: L, neighbourhoods away.

    `init_std`: of embeddings and projection; .01 learns ML-100K in a third of the epochs of .1.
    """

    name: ClassVar[str] = "lightgcn"

    hops: int = Field(default=2, ge=0, le=8)
    init_std: float = Field(default=0.01, gt=0, le=1)

    def build(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "LightGCN":
        """The untrained model on `world`."""
        return LightGCN(self, world, seed=seed, device=device)


class LightGCN(Model):
    """LightGCN (He et al. 2020) whose items start from id embedding + W·text.

    u^0 = E_u, i^0 = E_i + W t_i; the final vectors are the means over hops 0..L of
    Propagation(graph). An item nobody touched has no id embedding of its own to learn: it starts
    and stays at W·text, and a user without edges at zero.
    """

    def __init__(
        self,
        config: LightGCNConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        super().__init__(world)
        graph, text = world.graph, world.text
        self.config = config
        self.propagation = Propagation(graph, config.hops, device)
        generator = torch.Generator().manual_seed(seed)
        users = self._drawn(graph.shape[0], generator)
        items = self._drawn(graph.shape[1], generator)
        self.user_embedding = nn.Parameter(users * _touched(self.propagation.user_degree))
        self.item_embedding = nn.Parameter(items * _touched(self.propagation.item_degree))
        self.text = None
        if text is not None:
            self.text = torch.from_numpy(text).to(device)
            self.text_projection = nn.Parameter(self._drawn(text.shape[1], generator))
        self.to(device)

    def _drawn(self, rows: int, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(rows, self.config.dimensions, generator=generator) * self.config.init_std

    def hop_zero(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Users [U, d] and items [I, d] before propagation."""
        if self.text is None:
            return self.user_embedding, self.item_embedding
        return self.user_embedding, self.item_embedding + self.text @ self.text_projection

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


def _touched(degree: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(degree > 0).float()[:, None]
