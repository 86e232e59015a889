"""iALS: matrix factorisation over all pairs, solved by alternating least squares."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse as sp
import torch
from pydantic import Field
from torch import nn

from training.model import SolvedConfig, SolvedModel
from training.world import World

CELLS = 4_000_000
"""Numbers gathered at once: 16 MB."""


class IALSConfig(SolvedConfig):
    """`unobserved`: α, the weight of every pair beside that of events; `ridge`: λ as a share of the
    one at which nothing but zero is left, and `power`: ν, how much more it weighs on who has more.
    """

    name: ClassVar[str] = "ials"

    unobserved: float = Field(default=0.1, gt=0, le=10)
    ridge: float = Field(default=0.07, gt=0, lt=1)
    power: float = Field(default=1, ge=0, le=1)

    def body(self, world: World, *, seed: int, device: torch.device | str = "cpu") -> "IALS":
        """The unsolved model on `world`."""
        return IALS(self, world, seed=seed, device=device)


class IALS(SolvedModel):
    """Users u and items v that minimise (Rendle et al. 2021, "Revisiting the performance of iALS")

        Σ_(u,i) a_ui (u·v - 1)² + α Σ_u Σ_i (u·v)² + λ (Σ_u n_u |u|² + Σ_i n_i |v|²)
        n_u = (Σ_i a_ui + α I)^ν, n_i = (Σ_u a_ui + α U)^ν

    the first sum over the graph's edges, the second over all U · I pairs. From
    λ = σ_max(diag(n_u)^-1/2 A diag(n_i)^-1/2) on, with A the weights a_ui, zero is the best there
    is near zero: a λ that suits ML-100K leaves nothing of Gowalla. So `ridge` is a share of that.
    Texts are not read: who has no edges is at zero.
    """

    def __init__(
        self,
        config: IALSConfig,
        world: World,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
    ):
        super().__init__(world)
        self.config = config
        generator = torch.Generator().manual_seed(seed)
        # Of the paper: entries of 0.1/sqrt(d).
        users, items = (
            torch.randn(count, config.dimensions, generator=generator)
            * (0.1 / np.sqrt(config.dimensions))
            for count in world.graph.shape
        )
        graph, turned = world.graph, world.graph.T.tocsr()
        of_users, of_items = _counts(graph, config), _counts(turned, config)
        ridge = config.ridge * _largest_ridge(graph, of_users, of_items)
        self.user_embedding = nn.Parameter(users * _touched(graph))
        self.item_embedding = nn.Parameter(items * _touched(turned))
        self.of_users = _groups(graph, ridge * of_users, config.dimensions)
        self.of_items = _groups(turned, ridge * of_items, config.dimensions)
        self.to(device)

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Vectors of users [U, d] and items [I, d]."""
        return self.user_embedding, self.item_embedding

    @torch.no_grad()
    def sweep(self) -> float:
        """Users given items, then items given users; the objective over the edges' weight."""
        self._solve(self.user_embedding, self.of_users, self.item_embedding)
        self._solve(self.item_embedding, self.of_items, self.user_embedding)
        return self.objective()

    @torch.no_grad()
    def objective(self) -> float:
        """The class's formula over Σ a_ui."""
        users, items = self.user_embedding, self.item_embedding
        error = torch.zeros((), device=self.device)
        penalty = torch.zeros((), device=self.device)
        weight = 0.0
        for group in (group.to(self.device) for group in self.of_users):
            scores = (items[group.columns] @ users[group.rows, :, None])[..., 0]
            error += (group.weights * (scores - 1).square()).sum()
            weight += group.weights.sum().item()
        everywhere = ((users.T @ users) * (items.T @ items)).sum()
        for groups, vectors in ((self.of_users, users), (self.of_items, items)):
            for group in (group.to(self.device) for group in groups):
                penalty += (group.penalties * vectors[group.rows].square().sum(dim=1)).sum()
        total = error + self.config.unobserved * everywhere + penalty
        return total.item() / max(weight, 1e-12)

    def _solve(self, vectors: torch.Tensor, groups: list["_Group"], others: torch.Tensor) -> None:
        everywhere = self.config.unobserved * others.T @ others
        identity = torch.eye(self.config.dimensions, device=self.device)
        for group in (group.to(self.device) for group in groups):
            met = others[group.columns]
            weighted = met * group.weights[..., None]
            normal = everywhere + weighted.transpose(1, 2) @ met
            normal += group.penalties[:, None, None] * identity
            vectors[group.rows] = torch.linalg.solve(normal, weighted.sum(dim=1))


@dataclass(frozen=True)
class _Group:
    """Rows of about as many entries: rows [r], columns and weights [r, n] filled up with weight 0,
    penalties λ n_u [r]."""

    rows: torch.Tensor
    columns: torch.Tensor
    weights: torch.Tensor
    penalties: torch.Tensor

    def to(self, device: torch.device) -> "_Group":
        return _Group(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


def _counts(matrix: sp.csr_matrix, config: IALSConfig) -> np.ndarray:
    """n of every row of `matrix`."""
    mass = np.asarray(matrix.sum(axis=1)).ravel()
    return (mass + config.unobserved * matrix.shape[1]) ** config.power


def _largest_ridge(graph: sp.csr_matrix, of_users: np.ndarray, of_items: np.ndarray) -> float:
    """σ_max(diag(n_u)^-1/2 A diag(n_i)^-1/2), or 1 where there are no edges."""
    from sklearn.utils.extmath import randomized_svd

    scaled = sp.csr_matrix(sp.diags(of_users**-0.5) @ graph @ sp.diags(of_items**-0.5))
    _, largest, _ = randomized_svd(scaled, 1, n_iter=20, random_state=0)
    return float(largest[0]) or 1.0


def _groups(matrix: sp.csr_matrix, penalties: np.ndarray, dimensions: int) -> list[_Group]:
    """Every row of `matrix` that has entries, in groups of at most CELLS gathered numbers."""
    lengths = np.diff(matrix.indptr)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    groups = []
    while len(order):
        # From the longest down, so that the first row of a group is as long as it gets.
        width = int(lengths[order[-1]])
        cells = max(width, dimensions) * dimensions
        size = max(1, CELLS // cells)
        order, rows = order[:-size], order[-size:]
        places = matrix.indptr[rows, None] + np.arange(width)
        known = np.arange(width) < lengths[rows, None]
        places = np.where(known, places, 0)
        groups.append(
            _Group(
                torch.from_numpy(rows.astype(np.int64)),
                torch.from_numpy(matrix.indices[places].astype(np.int64)),
                torch.from_numpy((matrix.data[places] * known).astype(np.float32)),
                torch.from_numpy(penalties[rows].astype(np.float32)),
            )
        )
    return groups


def _touched(matrix: sp.csr_matrix) -> torch.Tensor:
    return torch.from_numpy(np.diff(matrix.indptr) > 0).float()[:, None]
