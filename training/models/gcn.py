"""GCN: weights and a nonlinearity in every hop."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from pydantic import Field
from torch import nn

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.propagation import Product, inverse_sqrt
from training.world import World


class GCNConfig(EmbeddingConfig):
    """`hops`: L, layers."""

    name: ClassVar[str] = "gcn"

    hops: int = Field(default=2, ge=1, le=8)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "GCN":
        """The untrained model on `world`."""
        return GCN(self, world, seed=seed, device=device)


class GCN(EmbeddingModel):
    """H^(l+1) = σ(Â H^(l) W_l), Â = (D + I)^-1/2 (A + I) (D + I)^-1/2 (Kipf & Welling 2017, eq. 2).

    H [U + I, d] holds users and items, A their weighted edges, D its row sums; σ is the rectifier,
    the last layer has none.
    """

    def __init__(
        self, config: GCNConfig, world: World, *, seed: int = 0, device: torch.device | str = "cpu"
    ):
        super().__init__(config, world, seed=seed, device=device)
        users, items = (
            inverse_sqrt(1 + np.asarray(world.graph.sum(axis=axis)).ravel()) for axis in (1, 0)
        )
        edges = sp.csr_matrix(sp.diags(users) @ world.graph @ sp.diags(items))
        self.to_users, self.to_items = Product(edges, device), Product(edges.T.tocsr(), device)
        self.user_loops, self.item_loops = (
            torch.from_numpy(scale[:, None] ** 2).float().to(device) for scale in (users, items)
        )
        d = config.dimensions
        self.weights = nn.ParameterList(self.glorot(d, d) for _ in range(config.hops))
        self.to(device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        users, items = self._hidden()
        return (
            (self.to_users @ items + self.user_loops * users) @ self.weights[-1],
            (self.to_items @ users + self.item_loops * items) @ self.weights[-1],
        )

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of these rows, over their own edges in the last layer."""
        users, items = self._hidden()
        own_users = self.user_loops[user_rows] * users[user_rows]
        own_items = self.item_loops[item_rows] * items[item_rows]
        return (
            (self.to_users.rows(user_rows, items) + own_users) @ self.weights[-1],
            (self.to_items.rows(item_rows, users) + own_items) @ self.weights[-1],
        )

    def _hidden(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Users [U, d] and items [I, d] as the last layer reads them."""
        users, items = self.hop_zero()
        for weight in list(self.weights)[:-1]:
            users, items = (
                ((self.to_users @ items + self.user_loops * users) @ weight).relu(),
                ((self.to_items @ users + self.item_loops * items) @ weight).relu(),
            )
        return users, items
