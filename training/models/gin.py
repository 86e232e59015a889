"""GIN: neighbours are summed, so that how many there are counts, and a network reads the sum."""

from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.propagation import Product
from training.world import World


class GINConfig(EmbeddingConfig):
    """`hops`: L, layers."""

    name: ClassVar[str] = "gin"

    hops: int = Field(default=2, ge=1, le=8)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "GIN":
        """The untrained model on `world`."""
        return GIN(self, world, seed=seed, device=device)


class GIN(EmbeddingModel):
    """h_n^(l+1) = σ(B(((1 + ε_l) h_n^(l) + Σ_m a_nm h_m^(l)) W_l)) V_l (Xu et al. 2019, eq. 4.1).

    The network has one hidden layer, σ is the rectifier. B, batch normalisation over all nodes,
    takes away what sums have in common: without centring every vector points to where the popular
    items do (ML-100K nDCG@10 .19 after 3 epochs). A node with neither edges nor text has nothing to
    say and is put back to zero.
    """

    def __init__(
        self, config: GINConfig, world: World, *, seed: int = 0, device: torch.device | str = "cpu"
    ):
        super().__init__(config, world, seed=seed, device=device)
        graph, turned = world.graph, world.graph.T.tocsr()
        self.to_users, self.to_items = Product(graph, device), Product(turned, device)
        d, hops = config.dimensions, range(config.hops)
        self.epsilon = nn.Parameter(torch.zeros(config.hops))
        self.inner = nn.ParameterList(self.glorot(d, d) for _ in hops)
        self.outer = nn.ParameterList(self.glorot(d, d) for _ in hops)
        users, items = np.diff(graph.indptr) > 0, np.diff(turned.indptr) > 0
        if world.text is not None:
            items = items | world.text.any(axis=1)
        self.known = torch.from_numpy(np.concatenate([users, items])).float()[:, None].to(device)
        self.to(device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        users, items = self.hop_zero()
        counts = [len(users), len(items)]
        for epsilon, inner, outer in zip(self.epsilon, self.inner, self.outer, strict=True):
            sums = torch.cat([self.to_users @ items, self.to_items @ users])
            sums = sums + (1 + epsilon) * torch.cat([users, items])
            hidden = functional.batch_norm(sums @ inner, None, None, training=True, eps=1e-12)
            users, items = (hidden.relu() @ outer * self.known).split(counts)
        return users, items
