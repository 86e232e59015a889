"""The part of a graph that is trained while the rest stays as it is.

It knows rows of users and items and a model's parameters; not why these rows.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn


@dataclass(frozen=True)
class Region:
    """users: bool [U]; items: bool [I]; true where a row may move."""

    users: np.ndarray
    items: np.ndarray

    @staticmethod
    def around(graph: sp.csr_matrix, users: np.ndarray, items: np.ndarray, hops: int) -> "Region":
        """Every row at most `hops` hops of `graph` [U, I] away from one of these (bool masks)."""
        back = graph.T.tocsr()
        for _ in range(hops):
            users, items = users | (graph @ items > 0), items | (back @ users > 0)
        return Region(users, items)

    @property
    def share(self) -> float:
        """Of all rows."""
        return float((self.users.sum() + self.items.sum()) / (len(self.users) + len(self.items)))

    def inside(self, user_index: np.ndarray, item_index: np.ndarray) -> np.ndarray:
        """bool [E]: the pairs both of whose rows may move."""
        return self.users[user_index] & self.items[item_index]

    def hold(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """After each step put the other rows back to where they are now, and whole parameters that
        are neither users' nor items'. Weight decay would move them where gradients do not."""
        held = []
        for name, parameter in model.named_parameters():
            side = side_of(name, parameter, len(self.users), len(self.items))
            rows = {"user": self.users, "item": self.items}.get(side or "", np.zeros(1, bool))
            moving = torch.from_numpy(rows).to(parameter.device)
            moving = (
                moving.reshape(-1, *[1] * (parameter.dim() - 1)) if parameter.dim() else moving[0]
            )
            held.append((parameter, moving, parameter.detach().clone()))

        @torch.no_grad()
        def put_back(*_) -> None:
            for parameter, moving, kept in held:
                parameter.copy_(torch.where(moving, parameter, kept))

        optimizer.register_step_post_hook(put_back)


def side_of(name: str, parameter: torch.Tensor, users: int, items: int) -> str | None:
    """Whether a parameter has a row a "user" or a row an "item", None for neither.

    Where there are as many users as items its name says which.
    """
    if parameter.dim() == 0:
        return None
    fitting = [
        side for side, count in (("user", users), ("item", items)) if len(parameter) == count
    ]
    named = [side for side in fitting if side in name]
    return next(iter(named or fitting), None)
