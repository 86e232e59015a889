"""Where models with a vector a node begin: id embeddings, to which an item's text is added.

It knows who has edges and what texts there are; not what a model makes of the vectors.
"""

from abc import ABC

import numpy as np
import torch
from pydantic import Field
from torch import nn

from training.model import Model, ModelConfig
from training.world import World


class EmbeddingConfig(ModelConfig):
    """`dimensions`: d; `init_std`: of embeddings and projection, .01 learns ML-100K in a third of
    the epochs of .1."""

    init_std: float = Field(default=0.01, gt=0, le=1)


class EmbeddingModel(Model, ABC):
    """u^0 = E_u, i^0 = E_i + W t_i.

    A node without edges has no id embedding of its own to learn: a user starts and stays at zero,
    an item at W·text.
    """

    def __init__(
        self,
        config: EmbeddingConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        """`self.generator`, seeded, is what everything else of the model is drawn from."""
        super().__init__(world)
        graph, text = world.graph, world.text
        self.generator = torch.Generator().manual_seed(seed)
        self._shape = config.dimensions, config.init_std
        users, items = (self.drawn(count) for count in graph.shape)
        self.user_embedding = nn.Parameter(users * _touched(graph.getnnz(axis=1)))
        self.item_embedding = nn.Parameter(items * _touched(graph.getnnz(axis=0)))
        self.text = None
        if text is not None:
            self.text = torch.from_numpy(text).to(device)
            self.text_projection = nn.Parameter(self.drawn(text.shape[1]))
        self.to(device)

    def drawn(self, rows: int) -> torch.Tensor:
        """Normal [rows, d] of the configured deviation, on the CPU."""
        dimensions, deviation = self._shape
        return torch.randn(rows, dimensions, generator=self.generator) * deviation

    def glorot(self, inputs: int, outputs: int) -> nn.Parameter:
        """A weight [inputs, outputs], uniform within ±sqrt(6 / (inputs + outputs)), on the CPU."""
        weight = torch.empty(inputs, outputs)
        return nn.Parameter(nn.init.xavier_uniform_(weight, generator=self.generator))

    def hop_zero(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Users [U, d] and items [I, d] before propagation."""
        if self.text is None:
            return self.user_embedding, self.item_embedding
        return self.user_embedding, self.item_embedding + self.text @ self.text_projection

    def hop_zero_rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Those rows [u, d] and [i, d] of `hop_zero`."""
        users, items = self.user_embedding[user_rows], self.item_embedding[item_rows]
        if self.text is None:
            return users, items
        return users, items + self.text[item_rows] @ self.text_projection


def _touched(edges: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(edges > 0).float()[:, None]
