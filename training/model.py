"""What training asks of any model: settings that build it, vectors to train, an export.

One file a model, in training.models; it knows neither the loop, the recipe nor how its vectors
serve.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import nn

from training.fold_in import fit_event_vectors
from training.named import Named, Search
from training.world import World


@dataclass(frozen=True)
class Vectors:
    """What any model hands to the scorer, float32: v [I, d], z [I, d], e [U, d] (or None)."""

    item_vectors: np.ndarray
    event_vectors: np.ndarray
    residuals: np.ndarray | None


class Model(nn.Module, ABC):
    """A model on one world: parameters on one device, `forward` and `export`."""

    def __init__(self, world: World):
        super().__init__()
        self.world = world

    @abstractmethod
    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d], whose inner product or cosine scores."""

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`forward`'s vectors of these users [u, d] and items [i, d], int64 rows.

        A model that can give a batch's vectors for less than everybody's says how.
        """
        users, items = self()
        return users.index_select(0, user_rows), items.index_select(0, item_rows)

    @torch.no_grad()
    def export(self, *, cosine: bool = True) -> Vectors:
        """The vectors with which the scorer gives the model's scores, v of unit length for cosine.

        Unless the model knows better: z by ridge to its users' vectors, e what remains. In
        training mode or not, what is exported is the model in evaluation.
        """
        training = self.training
        self.eval()
        users, items = (vectors.cpu().numpy() for vectors in self())
        self.train(training)
        event_vectors, residuals = fit_event_vectors(self.world.graph, users)
        return Vectors(unit(items) if cosine else items, event_vectors, residuals)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


class ModelConfig(Named):
    """A model's settings, with their ranges; subclass it in the model's file.

    `hops` is searched by the recipe where there is one.
    """

    room: ClassVar[str] = "training.models"
    noun: ClassVar[str] = "model"
    search: ClassVar[Search] = {"dimensions": None}

    dimensions: int = Field(default=64, ge=1, le=2048)

    @abstractmethod
    def build(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> Model:
        """The untrained model on `world`."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of unit length, zero rows as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
