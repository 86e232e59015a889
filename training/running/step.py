"""One optimisation step: a batch dealt out to processes and parts, its gradients, what is not
finite.

It knows models, losses and an optimiser; neither epochs nor when to stop.
"""

from contextlib import nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from training.errors import DivergedError
from training.loss import Batch, CompactBatch, Loss
from training.model import Model
from training.running.batches import parts
from training.running.logits import l2_penalty
from training.running.ranks import Ranks

SHOWN = 5
"""So many rows are named in a message."""


class Step:
    """A step on `model` whose batch is computed in `accumulation` parts by each of `ranks`.

    Each part's loss counts by its share of the batch's weight, so that the summed gradients are
    those of the whole batch wherever a row's loss does not depend on the other rows.
    """

    def __init__(
        self,
        model: Model,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        *,
        l2: float = 0,
        accumulation: int = 1,
        bfloat16: bool = False,
    ):
        self.model, self.optimizer = model, optimizer
        self.ranks, self.accumulation = Ranks.current(), accumulation
        self.error = _BatchLoss(model, loss, l2, bfloat16)
        self.shared = self.error
        if self.ranks.count > 1:
            # A parameter may have no part in a batch, where a model draws neighbours.
            self.shared = DistributedDataParallel(self.error, find_unused_parameters=True)

    def __call__(self, batch: Batch, epoch: int, number: int) -> float:
        """Move the parameters; this process's part of the batch's loss.

        Raises DivergedError naming epoch, batch and rows when the loss or a gradient is not finite.
        """
        where = f"in epoch {epoch}, batch {number}"
        self.optimizer.zero_grad()
        total, count = 0.0, self.accumulation
        dealt = parts(batch, count * self.ranks.count)
        mine = dealt[self.ranks.rank * count : (self.ranks.rank + 1) * count]
        for place, (part, share) in enumerate(mine, start=1):
            with self._gathering(last=place == count):
                error = self.shared(part) * share
                value = error.item()
                if not np.isfinite(value):
                    raise DivergedError(f"the loss became {value} {where}: {self._blame(part)}")
                # Gradients are averaged over the processes, and are to be summed.
                (error * self.ranks.count).backward()
            total += value
        self._check_gradients(where)
        self.optimizer.step()
        return total

    def _gathering(self, *, last: bool):
        """Gradients are exchanged with a batch's last part only."""
        wrapped = isinstance(self.shared, DistributedDataParallel)
        return self.shared.no_sync() if wrapped and not last else nullcontext()

    def _check_gradients(self, where: str) -> None:
        named = [(name, p.grad) for name, p in self.model.named_parameters() if p.grad is not None]
        if torch.nn.utils.get_total_norm([gradient for _, gradient in named]).isfinite():
            return
        for name, gradient in named:
            bad = ~gradient.isfinite()
            if bad.any():
                rows = bad.reshape(len(bad), -1).any(dim=1) if bad.dim() else bad[None]
                raise DivergedError(
                    f"the gradient of {name} is not finite {where}, {_rows('row', rows)}; lower the"
                    " learning rate"
                )
        raise DivergedError(f"the gradients' norm is not finite {where}; lower the learning rate")

    @torch.no_grad()
    def _blame(self, part: Batch) -> str:
        """The rows of a batch whose loss is not finite, and what to do."""
        here = part.compact()
        vectors = self.model.rows(here.user_rows, here.item_rows)
        named = [
            _rows(kind, ~each.isfinite().all(dim=1), rows)
            for kind, each, rows in zip(
                ("user", "item"), vectors, (here.user_rows, here.item_rows), strict=True
            )
        ]
        found = " and ".join(filter(None, named))
        if found:
            return (
                f"the vectors of {found} are not finite; lower the learning rate or look at what"
                " they learn from"
            )
        everyone = _rows("user", torch.ones_like(here.user_rows, dtype=torch.bool), here.user_rows)
        return (
            f"all vectors are finite, so the loss of {everyone} overflows; lower the learning rate"
            " or raise the temperature"
        )


class _BatchLoss(nn.Module):
    """A batch's loss in one call, which DistributedDataParallel can wrap."""

    def __init__(self, model: Model, loss: Loss, l2: float, bfloat16: bool):
        super().__init__()
        self.model, self.loss, self.l2, self.narrow = model, loss, l2, bfloat16

    def forward(self, batch: Batch) -> torch.Tensor:
        """A scalar."""
        given, vectors = self._vectors(batch)
        with torch.autocast(self.model.device.type, torch.bfloat16, enabled=self.narrow):
            error = self.loss(*vectors, given)
        if self.l2:
            users, items = vectors
            rows = (
                users.index_select(0, given.user_index),
                items.index_select(0, given.item_index),
            )
            error = error + self.l2 * l2_penalty(*rows, given.weight)
        return error

    def _vectors(
        self, batch: Batch
    ) -> tuple[Batch | CompactBatch, tuple[torch.Tensor, torch.Tensor]]:
        if self.loss.every_item:
            return batch, self.model()
        given = batch.compact()
        return given, self.model.rows(given.user_rows, given.item_rows)


def _rows(kind: str, chosen: torch.Tensor, rows: torch.Tensor | None = None) -> str:
    """`kind` and the first few chosen rows in words, empty when there is none."""
    places = chosen.nonzero().flatten()
    found = (places if rows is None else rows[places]).tolist()
    if not found:
        return ""
    shown = ", ".join(map(str, found[:SHOWN]))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{kind}{'s' if len(found) > 1 else ''} {shown}{more}"
