"""What the recipe asks of any model: a config that builds it, vectors to train, an export.

One file a model; it knows neither the loop, the recipe nor how its vectors serve.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn


@dataclass(frozen=True)
class Vectors:
    """What any model hands to the scorer, float32: v [I, d], z [I, d], e [U, d] (or None)."""

    item_vectors: np.ndarray
    event_vectors: np.ndarray
    residuals: np.ndarray | None


class Model(nn.Module, ABC):
    """A model: parameters on one device, `forward` and `export`."""

    @abstractmethod
    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""

    @abstractmethod
    def export(self) -> Vectors:
        """The vectors with which the scorer gives the model's scores."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


class ModelConfig(Protocol):
    """A model's hyperparameters: a frozen dataclass. `hops` is searched where it has them."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    def build(
        self,
        graph: sp.csr_matrix,
        text: np.ndarray | None,
        *,
        seed: int,
        device: torch.device | str,
    ) -> Model:
        """The model on `graph` [U, I] (CSR of positive weights) and item texts [I, t] or None."""
        ...
