"""GRN: a state a node, carried through slices of time."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from pydantic import Field
from torch import nn

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.propagation import Propagation
from training.world import World


class GRNConfig(EmbeddingConfig):
    """`slices`: T, snapshots of the graph, each with as many pairs; `hops`: L, in each of them."""

    name: ClassVar[str] = "grn"

    slices: int = Field(default=4, ge=1, le=64)
    hops: int = Field(default=2, ge=1, le=8)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "GRN":
        """The untrained model on `world`."""
        return GRN(self, world, seed=seed, device=device)


class GRN(EmbeddingModel):
    """h^t = GRU(P_t h^(t-1), h^(t-1)) for nodes with edges in slice t, else h^(t-1).

    P_t is Propagation over the pairs of slice t alone: a gated recurrent unit (Cho et al. 2014) is
    given a graph convolution of the states before, as in GCRN (Seo et al. 2018, model 1).
    h^0 are the embeddings, h^T the final vectors. Slices part the pairs by their latest time, none
    shares a moment with another; without times there is one.
    """

    def __init__(
        self, config: GRNConfig, world: World, *, seed: int = 0, device: torch.device | str = "cpu"
    ):
        super().__init__(config, world, seed=seed, device=device)
        self.slices = [
            _Slice(graph, config.hops, device) for graph in time_slices(world, config.slices)
        ]
        self.user_unit, self.item_unit = (self._unit(config.dimensions) for _ in range(2))
        self.to(device)

    def _unit(self, d: int) -> nn.GRUCell:
        """Gates are half open and the candidate is what comes in, so that h^t starts as the mean of
        h^(t-1) and its propagation: a unit begun at random forgets who a node is."""
        unit = nn.GRUCell(d, d)
        with torch.no_grad():
            for weight in unit.parameters():
                weight.zero_()
            unit.weight_ih[2 * d :] = torch.eye(d)
        return unit

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        users, items = self.hop_zero()
        for part in self.slices:
            to_users, to_items = part.propagation(users, items)
            users = torch.where(part.user_met, self.user_unit(to_users, users), users)
            items = torch.where(part.item_met, self.item_unit(to_items, items), items)
        return users, items


class _Slice:
    def __init__(self, graph: sp.csr_matrix, hops: int, device: torch.device | str):
        self.propagation = Propagation(graph, hops, device)
        self.user_met, self.item_met = (
            torch.from_numpy(graph.getnnz(axis=axis)[:, None] > 0).to(device) for axis in (1, 0)
        )


def time_slices(world: World, count: int) -> list[sp.csr_matrix]:
    """`world.graph` in up to `count` parts of pairs, oldest first, by quantiles of their times."""
    positive = world.interactions.take(world.interactions.weight > 0)
    if positive.at is None or not len(positive):
        return [world.graph]
    inner = np.quantile(positive.at, np.arange(1, count) / count, method="lower")
    number = np.searchsorted(np.unique(inner), positive.at, side="left")
    parts = [positive.take(number == n) for n in np.unique(number)]
    return [part.graph() for part in parts]
