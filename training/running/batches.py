"""The positives of a world in batches, in a new order each epoch, and batches in parts.

It knows pairs and a seeded generator; neither models nor losses.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from training.loss import Batch
from training.running.region import Region
from training.world import World


class Batches:
    """Every positive once an epoch, with `negatives` items drawn for each batch of `size`; with a
    region those inside.

    `state`: the generator's as it was before the epoch that began last.
    """

    def __init__(
        self,
        world: World,
        size: int,
        negatives: int,
        seed: int,
        device: torch.device | str = "cpu",
        region: Region | None = None,
    ):
        pairs = world.graph.tocoo()
        chosen = region.inside(pairs.row, pairs.col) if region else slice(None)
        self.item_count = world.graph.shape[1]
        self.users = torch.from_numpy(pairs.row[chosen].astype(np.int64)).to(device)
        self.items = torch.from_numpy(pairs.col[chosen].astype(np.int64)).to(device)
        self.weight = torch.from_numpy(pairs.data[chosen].astype(np.float32)).to(device)
        self.value = torch.from_numpy(world.positive_values[chosen]).to(device)
        self.size, self.negatives = size, negatives
        self.generator = torch.Generator().manual_seed(seed)
        self.state = self.generator.get_state()

    def __len__(self) -> int:
        return (len(self.users) + self.size - 1) // self.size

    def epoch(self, done: int = 0) -> Iterator[Batch]:
        """The batches of the next epoch; the first `done` are drawn and not given."""
        self.state = self.generator.get_state()
        order = torch.randperm(len(self.users), generator=self.generator)
        for number, rows in enumerate(order.to(self.users.device).split(self.size)):
            drawn = torch.randint(self.item_count, (self.negatives,), generator=self.generator)
            if number >= done:
                yield Batch(
                    self.users[rows],
                    self.items[rows],
                    self.weight[rows],
                    self.value[rows],
                    drawn.to(self.users.device),
                )

    def load_state(self, state: torch.Tensor) -> None:
        """Begin again the epoch before which the generator was in this state."""
        self.generator.set_state(state)


def parts(batch: Batch, count: int) -> list[tuple[Batch, float]]:
    """`batch` in `count` parts, and the share of its weight that each has; the shares sum to 1.

    All are compared with the same negatives. A part for which no row is left holds the first one
    with a share of 0.
    """
    if count == 1:
        return [(batch, 1.0)]
    columns = ("user_index", "item_index", "weight", "value")
    rows = torch.arange(len(batch.weight), device=batch.weight.device).tensor_split(count)
    total, found = batch.weight.sum(), []
    for each in rows:
        chosen = each if len(each) else rows[0][:1]
        part = replace(batch, **{name: getattr(batch, name)[chosen] for name in columns})
        found.append((part, (part.weight.sum() / total).item() if len(each) else 0.0))
    return found
