"""How long a training will take, measured on its first batches, against the time there is.

It knows numbers of batches and clocks; not what is trained.
"""

import time
from dataclasses import dataclass, field

from training.errors import TrainingError

MEASURED = 3
"""Batches; the first is left out of the mean, for it warms up."""


class OverBudgetError(TrainingError):
    """A training that cannot end in the time it may take; the message says how long it would."""


@dataclass
class Pace:
    """Seconds a batch of a training of `batches` an epoch and at least `epochs`.

    deadline: of time.monotonic(), None where time does not matter.
    """

    batches: int
    epochs: int
    deadline: float | None
    marks: list[float] = field(default_factory=lambda: [time.monotonic()])

    def lap(self) -> None:
        """Call after each batch. Raises OverBudgetError once enough of them are measured."""
        if self.deadline is None or len(self.marks) > MEASURED:
            return
        self.marks.append(time.monotonic())
        if len(self.marks) <= min(MEASURED, self.batches * self.epochs):
            return
        spent = self.marks[1:] if len(self.marks) > 2 else self.marks
        epoch = (spent[-1] - spent[0]) / (len(spent) - 1) * self.batches
        left = self.deadline - self.marks[0]
        if epoch * self.epochs > left:
            raise OverBudgetError(
                f"training takes at least {_words(epoch * self.epochs)} ({self.epochs} epochs of"
                f" {_words(epoch)}) and {_words(max(left, 0))} of its budget are left: allow more,"
                " or reduce max_epochs, dimensions or hops"
            )


def _words(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.2g} s"
