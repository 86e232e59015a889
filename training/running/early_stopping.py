"""When a training stops, and the parameters of its best validation.

It knows values and parameters; not what was validated.
"""

from collections.abc import Mapping
from typing import Any

from torch import nn

CHANCE = 5e-3
"""Of a validation's value, that the next epoch may change by chance: the best of ten epochs that
learn nothing more is above the last by about as much."""


class EarlyStopping:
    """Keeps the parameters of the best validation and counts those that were no better.

    best, best_epoch: None before the first; seen: every value, in order; falling: with a learning
    rate that falls to nothing, of values that are the best but for CHANCE the last counts.
    """

    def __init__(self, model: nn.Module, patience: int, *, falling: bool = False):
        self.model, self.patience = model, patience
        self._falling = falling
        self.best, self.best_epoch, self.waited = None, None, 0
        self.seen, self.parameters = [], None

    @property
    def exhausted(self) -> bool:
        """Whether `patience` validations in a row were no better."""
        return self.waited >= self.patience

    def saw(self, epoch: int, value: float) -> float:
        """Take in the value of an epoch, higher is better; gives it back."""
        self.seen.append(value)
        self.waited += 1
        as_good = self._falling and value >= (1 - CHANCE) * max(self.seen)
        if self.best is None or value > self.best or as_good:
            self.best, self.best_epoch, self.waited = value, epoch, 0
            state = self.model.state_dict()
            self.parameters = {name: each.detach().clone() for name, each in state.items()}
        return value

    def restore(self) -> None:
        """Put the best parameters back; without a validation the model stays as it is."""
        if self.parameters is not None:
            self.model.load_state_dict(self.parameters)

    def state(self) -> dict[str, Any]:
        """Everything that a continued training needs."""
        names = ("best", "best_epoch", "waited", "seen", "parameters")
        return {name: getattr(self, name) for name in names}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave."""
        for name, value in state.items():
            setattr(self, name, value)
