"""What training asks of any model: settings that build it, vectors to train, an export.

One file a model, in training.models; it knows neither the loop, the recipe nor how its vectors
serve. A model gives final vectors; its head says what of them is compared.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import nn

from training.errors import SettingError
from training.fold_in import fit_event_vectors, history_scale
from training.heads import HEADS, Head
from training.named import Named, Search
from training.propagation import Product
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


class SolvedModel(Model):
    """A model whose parameters are solved for, not trained by a loss.

    An epoch is one `sweep`; of the training settings only those of epochs and validations count.
    """

    @abstractmethod
    def sweep(self) -> float:
        """Solve for every parameter once, given the others; the objective reached, the lower the
        better."""


class HeadedModel(Model):
    """A model and the head that compares its vectors, exported as one.

    Where the head reads text, item i has t_i = P · text_i and user u, as the scorer sums events,
    t_u = n_u^-1/2 Σ_i a_ui t_i. So, with v, z and e of the model alone, v' = items(v, t),
    z' = users(z, t) and e' = users(e, 0) score as the head does.
    """

    def __init__(self, model: Model, head: Head, dimensions: int, seed: int):
        super().__init__(model.world)
        self.model, self.head = model, head
        self.text = None
        if head.reads_text:
            graph, text = model.world.graph, model.world.text
            if text is None:
                raise SettingError(
                    "head reads the items' texts and there are none: expected inner_product or"
                    " bilinear"
                )
            self.text = torch.from_numpy(text).to(model.device)
            self.projection = nn.Parameter(torch.empty(text.shape[1], dimensions))
            generator = torch.Generator().manual_seed(seed)
            nn.init.xavier_uniform_(self.projection, generator=generator)
            self.to_users = Product(history_scale(graph) @ graph, model.device)
        self.to(model.device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The head's vectors of users [U, d'] and items [I, d']."""
        users, items = self.model()
        user_texts, item_texts = self._texts()
        return self.head.of_users(users, user_texts), self.head.of_items(items, item_texts)

    def rows(
        self, user_rows: torch.Tensor, item_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`forward`'s vectors of these rows, for what the model asks for them."""
        users, items = self.model.rows(user_rows, item_rows)
        user_texts, item_texts = self._texts()
        return (
            self.head.of_users(users, user_texts.index_select(0, user_rows)),
            self.head.of_items(items, item_texts.index_select(0, item_rows)),
        )

    def _texts(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.text is None:
            users, items = self.world.graph.shape
            nothing = torch.zeros(1, 1, device=self.device)
            return nothing.expand(users, 1), nothing.expand(items, 1)
        texts = self.text @ self.projection
        return self.to_users @ texts, texts

    @torch.no_grad()
    def export(self, *, cosine: bool = True) -> Vectors:
        """The model's own vectors through the head."""
        own = self.model.export(cosine=False)
        _, texts = self._texts()

        def of(side, vectors: np.ndarray, texts: torch.Tensor) -> np.ndarray:
            return side(torch.from_numpy(vectors).to(self.device), texts).cpu().numpy()

        items = of(self.head.of_items, own.item_vectors, texts)
        residuals = own.residuals
        if residuals is not None:
            nothing = texts.new_zeros(len(residuals), texts.shape[1])
            residuals = of(self.head.of_users, residuals, nothing)
        return Vectors(
            item_vectors=unit(items) if cosine else items,
            event_vectors=of(self.head.of_users, own.event_vectors, texts),
            residuals=residuals,
        )


class ModelConfig(Named):
    """A model's settings, with their ranges; subclass it in the model's file.

    `dimensions`: d of its vectors; `head`: what of them is compared (training.heads). `hops` is
    searched by the recipe where there is one.
    """

    room: ClassVar[str] = "training.models"
    noun: ClassVar[str] = "model"
    search: ClassVar[Search] = {"dimensions": None, "head": None}

    dimensions: int = Field(default=64, ge=1, le=2048)
    head: Literal["inner_product", "bilinear", "fused", "mix"] = "inner_product"

    @abstractmethod
    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> Model:
        """The untrained model on `world`, below any head."""

    def build(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> Model:
        """The untrained model on `world` with its head.

        Raises SettingError for a head that reads texts where there are none.
        """
        model = self.body(world, seed=seed, device=device)
        if self.head == "inner_product":
            return model
        return HeadedModel(model, HEADS[self.head](self.dimensions), self.dimensions, seed)


class SolvedConfig(ModelConfig):
    """Settings of a SolvedModel: it has its own objective, on the inner product and no other
    head."""

    head: Literal["inner_product"] = "inner_product"

    @abstractmethod
    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> SolvedModel:
        """The untrained model on `world`."""


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of unit length, zero rows as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
