"""Minutes to spend, and how many epochs fit into them; it knows clocks, not what they measure."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Budget:
    """`minutes` from now on (or from `started`, of time.monotonic)."""

    minutes: float
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """Never less than zero."""
        return max(0.0, self.started + 60 * self.minutes - time.monotonic())

    def seconds(self, share: float) -> float:
        """This share of the whole, but no more than what is left."""
        return min(60 * self.minutes * share, self.seconds_left)


def epochs_within(seconds: float, seconds_an_epoch: float, most: int) -> int:
    """How many epochs fit into `seconds`: at least one, at most `most`."""
    return max(1, min(most, int(seconds / max(seconds_an_epoch, 1e-9))))
