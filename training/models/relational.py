"""A relational network: the typed knowledge graph beside who met what."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from pydantic import Field
from torch import nn

from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.propagation import Product, inverse_sqrt
from training.world import Relation, World

KNOWLEDGE_WEIGHT = 0.1
"""What relations of the knowledge graph begin with beside 1 of the events: they are learned up or
down from where they disturb little."""


class RelationalConfig(EmbeddingConfig):
    """`hops`: L; `bases`: B, matrices that those of all relations are mixed from."""

    name: ClassVar[str] = "relational"

    hops: int = Field(default=2, ge=1, le=8)
    bases: int = Field(default=4, ge=1, le=64)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "Relational":
        """The untrained model on `world`."""
        return Relational(self, world, seed=seed, device=device)


class Relational(EmbeddingModel):
    """R-GCN with basis decomposition (Schlichtkrull et al. 2018, eq. 2 and 3) over nodes of all
    kinds: users, items, and attributes, which have embeddings of their own.

    x_i^(l+1) = Σ_r Σ_j A_r,ij W_r x_j with W_r = Σ_b c_rb V_b, r being each relation's two ways:
    who met what (weighted), and every relation of the knowledge graph. A_r is its matrix, D^-1/2 on
    both sides. As in LightGCN there is no nonlinearity, and the mean over hops 0..L is final, which
    stands for the paper's loop. V_1 begins as the identity, c_r1 as 1 or KNOWLEDGE_WEIGHT.
    """

    def __init__(
        self,
        config: RelationalConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        super().__init__(config, world, seed=seed, device=device)
        self.attribute_embedding = nn.ParameterDict(
            {
                label: nn.Parameter(self.drawn(count))
                for label, count in sorted(world.node_counts.items())
            }
        )
        self.ways = [
            _Way(*way, device)
            for start, end, matrix in relation_matrices(world)
            for way in ((end, start, matrix), (start, end, matrix.T.tocsr()))
        ]
        d, bases, hops = config.dimensions, config.bases, config.hops
        self.basis = nn.Parameter(self._scaled(hops, bases, d, d))
        self.mix = nn.Parameter(self._scaled(hops, len(self.ways), bases))
        with torch.no_grad():
            self.basis[:, 0] = torch.eye(d)
            self.mix[:, :2, 0] = 1
            self.mix[:, 2:, 0] = KNOWLEDGE_WEIGHT
        self.to(device)

    def _scaled(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.generator) * 0.1 / shape[-1] ** 0.5

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Final vectors of users [U, d] and items [I, d]."""
        users, items = self.hop_zero()
        nodes = {"user": users, "item": items, **self.attribute_embedding}
        total_users, total_items = users, items
        for mix, basis in zip(self.mix, self.basis, strict=True):
            weights = torch.einsum("rb,bij->rij", mix, basis)
            sums = {kind: torch.zeros_like(vectors) for kind, vectors in nodes.items()}
            for way, weight in zip(self.ways, weights, strict=True):
                sums[way.end] = sums[way.end] + way.product @ (nodes[way.start] @ weight)
            nodes = sums
            total_users, total_items = total_users + nodes["user"], total_items + nodes["item"]
        count = len(self.basis) + 1
        return total_users / count, total_items / count


class _Way:
    """One way along a relation: to `end` nodes (rows of the matrix) from `start` nodes."""

    def __init__(self, start: str, end: str, matrix: sp.csr_matrix, device: torch.device | str):
        self.start, self.end, self.product = start, end, Product(matrix, device)


def relation_matrices(world: World) -> list[tuple[str, str, sp.csr_matrix]]:
    """Each relation as kinds of its ends and its matrix [starts, ends], D^-1/2 on both sides.

    First who met what; then the world's relations, an edge that is there twice counting twice.
    """
    users, items = world.graph.shape
    sizes = {"user": users, "item": items, **world.node_counts}

    def matrix_of(relation: Relation) -> sp.csr_matrix:
        rows, columns = relation.edge_index
        shape = sizes[relation.start], sizes[relation.end]
        return sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)

    found = [("user", "item", world.graph)]
    found += [(r.start, r.end, matrix_of(r)) for r in world.relations]
    return [(start, end, _normalised(matrix)) for start, end, matrix in found]


def _normalised(matrix: sp.csr_matrix) -> sp.csr_matrix:
    starts, ends = (inverse_sqrt(np.asarray(matrix.sum(axis=axis)).ravel()) for axis in (1, 0))
    return sp.csr_matrix(sp.diags(starts) @ matrix @ sp.diags(ends), dtype=np.float32)
