"""A small batch, with vectors and a world to go with it, for tests of losses."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn import functional

from tests.training.worlds import world_of
from training.loss import Batch
from training.world import World

COUNTS = np.array([2, 4, 6, 5, 3])
"""How many of six users like each of five items."""


@dataclass(frozen=True)
class Given:
    """Six users and five items, a batch of six positives (one item three times, one user twice)."""

    users: torch.Tensor
    items: torch.Tensor
    batch: Batch
    world: World

    @property
    def rows(self) -> list[tuple[torch.Tensor, torch.Tensor, float]]:
        """u, i and the weight of each row."""
        left, right = self.users[self.batch.user_index], self.items[self.batch.item_index]
        return list(zip(left, right, self.batch.weight.tolist(), strict=True))

    @property
    def drawn(self) -> torch.Tensor:
        """[N, d] the negatives' vectors."""
        return self.items[self.batch.negatives]

    def mean(self, each: list[torch.Tensor]) -> torch.Tensor:
        """Σ w x / Σ w."""
        weight = self.batch.weight
        return (torch.stack(each) * weight).sum() / weight.sum()


def given(negatives: int = 4, seed: int = 1) -> Given:
    """The same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    users, items = (torch.randn(rows, 8, generator=generator) for rows in (6, 5))
    batch = Batch(
        user_index=torch.tensor([0, 1, 1, 4, 0, 2]),
        item_index=torch.tensor([3, 3, 0, 2, 1, 3]),
        weight=torch.tensor([1.0, 0.5, 1.0, 0.25, 1.0, 1.0]),
        value=torch.tensor([4.0, torch.nan, 2.0, 5.0, torch.nan, 1.0]),
        negatives=torch.randint(5, (negatives,), generator=generator),
    )
    graph = sp.csr_matrix(np.arange(6)[:, None] < COUNTS, dtype=np.float32)
    return Given(users, items, batch, world_of(graph))


def cosine(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Of two vectors, as torch has it."""
    return functional.cosine_similarity(left, right, dim=0)
