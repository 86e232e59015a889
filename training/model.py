"""What training asks of any model: settings that build it, vectors to train, an export.

One file a model, in training.models; it knows neither the loop, the recipe nor how its vectors
serve.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from training.world import World


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
    def export(self, *, cosine: bool = True) -> Vectors:
        """The vectors with which the scorer gives the model's scores, v of unit length for
        cosine."""

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


class ModelConfig(BaseModel, ABC):
    """A model's settings, with their ranges; subclass it in the model's file.

    name: what the model is asked for by. `hops` is searched by the recipe where there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str]

    dimensions: int = Field(default=64, ge=1, le=2048)

    @abstractmethod
    def build(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> Model:
        """The untrained model on `world`."""
