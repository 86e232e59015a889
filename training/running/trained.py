"""What a training came to: its best epoch and its curve; nothing of how it went there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trained:
    """`epochs`: the best by validation, where the model now stands, or, as the learning rate fell,
    the last that was as good but for chance; `validations`: in order.

    curve: an entry an epoch: `epoch`, `loss` (its batches' mean), `seconds` since the start with
    the epoch's validation, and `ndcg` where there was one; where time cut the first one short,
    `lacking`: the seconds that its rest would have taken.
    """

    epochs: int
    best: float | None
    seconds: float
    validations: list[float]
    curve: list[dict[str, float]]

    @property
    def seconds_an_epoch(self) -> float:
        """With its validation."""
        lacking = sum(row.get("lacking", 0.0) for row in self.curve)
        return (self.seconds + lacking) / len(self.curve)

    def after(self, first: "Trained") -> "Trained":
        """Both as one run, of which `first` was trained on to its best epoch before this one."""
        kept, seconds = first.curve[: first.epochs], first.seconds
        curve = [
            {**row, "epoch": row["epoch"] + first.epochs, "seconds": row["seconds"] + seconds}
            for row in self.curve
        ]
        return Trained(
            first.epochs + self.epochs,
            self.best,
            seconds + self.seconds,
            [*first.validations, *self.validations],
            [*kept, *curve],
        )
