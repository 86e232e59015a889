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
        users, items = self.hop_zero()
        for hop, weight in enumerate(self.weights):
            if hop:
                users, items = users.relu(), items.relu()
            users, items = (
                (self.to_users @ items + self.user_loops * users) @ weight,
                (self.to_items @ users + self.item_loops * items) @ weight,
            )
        return users, items
