"""GAT: how much of each event a node takes in is learned, and can be read."""

import math
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn import functional

from training.attention import Edges, edge_softmax, on_edges, weighted_sum
from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.errors import SettingError
from training.event_edges import event_edges
from training.named import Search
from training.world import World

SLOPE = 0.2
"""Of the leaky rectifier, as in the paper."""


class GATConfig(EmbeddingConfig):
    """`hops`: L; `heads`: H, each weighs its own part of the dimensions, which it must divide;
    `attention_dimensions`: k of each, in which nodes and events are compared."""

    name: ClassVar[str] = "gat"

    search: ClassVar[Search] = {"heads": (1, 2, 4)}

    hops: int = Field(default=2, ge=1, le=8)
    heads: int = Field(default=2, ge=1, le=64)
    attention_dimensions: int = Field(default=8, ge=1, le=256)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "GAT":
        """The untrained model on `world`. Raises SettingError for heads that do not divide d."""
        if self.dimensions % self.heads:
            raise SettingError(
                f"model gat: heads is {self.heads}, expected a divisor of dimensions"
                f" ({self.dimensions})"
            )
        return GAT(self, world, seed=seed, device=device)


class GAT(EmbeddingModel):
    """GATv2 (Brody et al. 2022, eq. 7) with edge features, over events (training.event_edges).

    Over the edges e = j → i, both ways of every event with features f_e, for each hop and head

        α_e = softmax_i(a · LeakyReLU(S x_j + T x_i + F f_e)),  x_i' = Σ_e α_e x_j

    where S and T are of j's and i's kind, user or item. As in LightGCN values are not transformed
    and the final vectors are the means over hops 0..L.
    """

    def __init__(
        self, config: GATConfig, world: World, *, seed: int = 0, device: torch.device | str = "cpu"
    ):
        super().__init__(config, world, seed=seed, device=device)
        self.events = event_edges(world)
        users, items = world.graph.shape
        user = torch.from_numpy(self.events.user.astype(np.int64))
        item = torch.from_numpy(self.events.item.astype(np.int64)) + users
        self.edges = Edges(
            torch.cat([user, item]).to(device), torch.cat([item, user]).to(device), users + items
        )
        features = torch.from_numpy(self.events.features).to(device)
        self.features = features.repeat(2, 1)[self.edges.order]
        hops, heads, k = config.hops, config.heads, config.attention_dimensions
        d, width = config.dimensions, heads * k
        self.start_weight = self._scaled(hops, 2, d, width)
        self.end_weight = self._scaled(hops, 2, d, width)
        self.feature_weight = self._scaled(hops, features.shape[1], width)
        self.attention_weight = self._scaled(hops, heads, k, 1)
        self.to(device)

    def _scaled(self, *shape: int) -> nn.Parameter:
        drawn = torch.randn(shape, generator=self.generator)
        return nn.Parameter(drawn / math.sqrt(shape[-2]))

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        users, items = self._kinds(self._propagated()[0])
        return users, items

    @torch.no_grad()
    def attention(self) -> np.ndarray:
        """How much each event [E] has in its person's vector, float32, in the order of `events`.

        α of the edges from items to people, the mean over hops and heads: 1 in sum over a person.
        """
        mean = torch.stack(self._propagated()[1]).mean(dim=(0, 2))
        given = torch.empty_like(mean)
        given[self.edges.order] = mean
        return given[len(given) // 2 :].cpu().numpy()

    def _propagated(self) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Final vectors [U + I, d], and each hop's α [2E, H] in the order of `edges`."""
        total = nodes = torch.cat(self.hop_zero())
        shares = []
        for hop in range(len(self.attention_weight)):
            shares.append(edge_softmax(self.edges, self._logits(nodes, hop)))
            nodes = weighted_sum(self.edges, shares[-1], nodes)
            total = total + nodes
        return total / (len(shares) + 1), shares

    def _logits(self, nodes: torch.Tensor, hop: int) -> torch.Tensor:
        starts, ends = (
            torch.cat([x @ own for x, own in zip(self._kinds(nodes), weight[hop], strict=True)])
            for weight in (self.start_weight, self.end_weight)
        )
        inner = on_edges(self.edges, starts, ends) + self.features @ self.feature_weight[hop]
        compared = self.attention_weight[hop]
        heads = functional.leaky_relu(inner, SLOPE).chunk(len(compared), dim=1)
        return torch.cat([head @ a for head, a in zip(heads, compared, strict=True)], dim=1)

    def _kinds(self, nodes: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return nodes.split([len(self.user_embedding), len(self.item_embedding)])
