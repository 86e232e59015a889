"""What of two nodes is compared: heads over any model's final vectors h and the items' texts.

A head knows vectors only. It is linear in (h, t), so it folds into what serves: see
training.model.HeadedModel.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn


class Head(nn.Module, ABC):
    """Linear maps of vectors h [n, d] and projected texts t [n, d] of users and of items.

    `reads_text`: whether there must be texts; without, t is not looked at.
    """

    reads_text: ClassVar[bool] = False

    @abstractmethod
    def of_users(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """[n, d'] to compare with items'."""

    @abstractmethod
    def of_items(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """[n, d'] to compare with users'."""


class Bilinear(Head):
    """Bilinear attention h_u W_U · h_i W_I; both weights start at the identity."""

    def __init__(self, dimensions: int):
        super().__init__()
        self.user_weight = nn.Parameter(torch.eye(dimensions))
        self.item_weight = nn.Parameter(torch.eye(dimensions))

    def of_users(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """h W_U."""
        return h @ self.user_weight

    def of_items(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """h W_I."""
        return h @ self.item_weight


class Fused(Head):
    """Text beside graph, h_u · h_i + t_u · t_i: twice the dimensions."""

    reads_text = True

    def __init__(self, dimensions: int):
        super().__init__()

    def of_users(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """[h, t]."""
        return torch.cat([h, t], dim=1)

    def of_items(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """[h, t]."""
        return torch.cat([h, t], dim=1)


class Mix(Head):
    """Text in the graph's place by a share, a t + (1 - a) h with a = σ(θ) learned, from ½."""

    reads_text = True

    def __init__(self, dimensions: int):
        super().__init__()
        self.logit = nn.Parameter(torch.zeros(1))

    def of_users(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """a t + (1 - a) h."""
        return torch.lerp(h, t, self.logit.sigmoid())

    def of_items(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """a t + (1 - a) h."""
        return torch.lerp(h, t, self.logit.sigmoid())


HEADS: dict[str, type[Head]] = {"bilinear": Bilinear, "fused": Fused, "mix": Mix}
"""By the name that a model's settings ask for; the inner product of h needs none."""
