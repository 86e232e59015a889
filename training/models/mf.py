"""Matrix factorisation: no graph at all, the measure of what the graph adds."""

from typing import ClassVar

import torch

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.world import World


class MFConfig(EmbeddingConfig):
    """Nothing but a vector a node."""

    name: ClassVar[str] = "mf"

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "MF":
        """The untrained model on `world`."""
        return MF(self, world, seed=seed, device=device)


class MF(EmbeddingModel):
    """u = E_u, i = E_i + W t_i (Koren et al. 2009, without biases)."""

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of users [U, d] and items [I, d]."""
        return self.hop_zero()

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of these rows, computed alone."""
        return self.hop_zero_rows(user_rows, item_rows)
