"""The training loop: epochs, validations, checkpoints; any model that gives final vectors.

It knows neither the model's inside nor what is measured to stop it.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from training.loss import LossConfig
from training.losses.in_batch_softmax import InBatchSoftmaxConfig
from training.model import Model, SolvedModel
from training.running.batches import Batches
from training.running.checkpoints import Checkpoint, generator_states, load_generator_states
from training.running.early_stopping import EarlyStopping
from training.running.memory import naming_what_to_reduce, require
from training.running.options import current_options
from training.running.pace import Pace
from training.running.ranks import Ranks
from training.running.region import Region
from training.running.step import Step
from training.running.trained import Trained
from training.world import World


class TrainingConfig(BaseModel):
    """How a model is trained.

    `weight_decay`: AdamW's, on all parameters; `decay_epochs`: in so many the learning rate falls
    to zero in a line, 0 keeps it; `patience`: validations without a
    better one before stopping; `validate_every`: epochs between validations,
    the last epoch always has one.
    `accumulation`: parts in which a batch is computed, its gradients summed, so that the loss needs
    the memory of one part; the same step as the whole batch's, except for losses whose negatives
    are the batch's other rows (in_batch_softmax, bsl without negatives), which then see their
    part's only. `precision`: of the loss's products; "auto" is bfloat16 on CUDA, else float32.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss: SerializeAsAny[LossConfig] = InBatchSoftmaxConfig()
    learning_rate: float = Field(default=1e-2, ge=0, le=10)
    batch_size: int = Field(default=4096, ge=1, le=1_000_000)
    weight_decay: float = Field(default=0.1, ge=0, le=10)
    max_epochs: int = Field(default=60, ge=1, le=10_000)
    decay_epochs: int = Field(default=0, ge=0, le=10_000)
    validate_every: int = Field(default=2, ge=1, le=1_000)
    patience: int = Field(default=3, ge=1, le=1_000)
    accumulation: int = Field(default=1, ge=1, le=1_024)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"

    @property
    def cosine(self) -> bool:
        """Whether the score that is trained, and then serves, is the cosine."""
        return self.loss.similarity == "cosine"

    def lasting(self, epochs: int) -> "TrainingConfig":
        """The same for so many epochs: the learning rate falls over all of them, if it falls."""
        falling = epochs if self.decay_epochs else 0
        return self.model_copy(update={"max_epochs": epochs, "decay_epochs": falling})

    def last(self, share: float) -> "TrainingConfig":
        """The last `share` of such a run: of its epochs, and, where the learning rate falls, from
        what it has fallen to by then."""
        rate = self.learning_rate * (share if self.decay_epochs else 1)
        epochs = max(1, round(share * self.max_epochs))
        return self.lasting(epochs).model_copy(update={"learning_rate": rate})

    def described(self) -> dict:
        """Every setting, the loss with its name, for `model.json`."""
        return {**self.model_dump(), "loss": self.loss.described()}


@dataclass(frozen=True)
class Progress:
    """Where a run stands: `done` of `total` (epochs, mostly) of `step`, with its figures."""

    step: str
    done: int
    total: int
    figures: dict[str, float] = field(default_factory=dict)


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """The report of whoever does not want one."""


def train_model(
    model: Model,
    world: World,
    config: TrainingConfig,
    seed: int,
    *,
    validate: Callable[[], float] | None = None,
    report: Report = silent,
    step: str = "training",
    seconds: float = math.inf,
) -> Trained:
    """Train `model` on the positives of `world`; each of them once an epoch.

    With `validate` (higher is better) it stops early and goes back to the best epoch; without it
    it trains `max_epochs`. An epoch that would not end within `seconds` is not begun; the first is
    left when they are over. On the CPU the same seed gives the same weights, interrupted or not:
    where the options in force keep checkpoints, the same call goes on where an earlier one was
    killed; and it begins where their `start` puts the model, within the region that it names.

    Raises DivergedError naming the epoch, batch and rows where a loss or a gradient is not finite,
    OutOfMemoryError naming what to reduce (before the first batch, where it can be foreseen),
    OverBudgetError when the first batches show that the time will not do, CheckpointError.
    """
    options, checkpoint = current_options(), None
    region = options.start(model) if options.start else None
    checkpoints = options.checkpoints
    if checkpoints:
        checkpoint = checkpoints.of(
            step,
            seed,
            config.described(),
            validate is not None,
            getattr(model, "config", type(model).__name__),
            model.state_dict(),
            world,
            Ranks.current().count,
            torch.__version__,
        )
    # Models may draw from torch's own generator as they learn: dropout, neighbours.
    cuda = [model.device] if model.device.type == "cuda" else []
    reducible = _reducible(model, config)
    with naming_what_to_reduce(step, reducible), torch.random.fork_rng(cuda):
        torch.manual_seed(seed)
        training = _Training(model, world, config, seed, checkpoint, region)
        require(model, model.device, training.logits, reducible)
        return training.run(validate, report, step, seconds)


def _reducible(model: Model, config: TrainingConfig) -> list[str]:
    """The settings that memory grows with, as they are."""
    dimensions = getattr(getattr(model, "config", None), "dimensions", None)
    values = {
        "dimensions": dimensions,
        "batch_size": config.batch_size,
        "negatives": config.loss.negatives or None,
    }
    return [f"{name} ({value:,})" for name, value in values.items() if value]


class _Training:
    """One training: where it stands, and how it goes on from there."""

    def __init__(
        self,
        model: Model,
        world: World,
        config: TrainingConfig,
        seed: int,
        checkpoint: Checkpoint | None,
        region: Region | None,
    ):
        self.model, self.config, self.checkpoint = model, config, checkpoint
        self.ranks, device = Ranks.current(), model.device
        self.optimizer = torch.optim.AdamW(
            model.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        self.loss = config.loss.build(world, device)
        size, negatives = config.batch_size, config.loss.negatives
        self.batches = Batches(world, size, negatives, seed, device, region)
        if region:
            region.hold(model, self.optimizer)
        self.stopper = EarlyStopping(model, config.patience, falling=config.decay_epochs > 0)
        self.epoch, self.done, self.total, self.curve = 1, 0, 0.0, []
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def logits(self) -> int:
        """Scores that are held at once for a part of a batch."""
        rows = min(self.config.batch_size, len(self.batches.users))
        columns = self.config.loss.negatives
        if self.loss.every_item:
            columns = self.batches.item_count
        return columns * -(-rows // (self.config.accumulation * self.ranks.count))

    def run(
        self, validate: Callable[[], float] | None, report: Report, step: str, seconds: float
    ) -> Trained:
        state = self.checkpoint.load(self.model.device) if self.checkpoint else None
        if state and "trained" in state:
            self.model.load_state_dict(state["model"])
            return Trained(**state["trained"])
        if state:
            self.load_state(state)
        config, stopper = self.config, self.stopper
        bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and self.model.device.type == "cuda"
        )
        take = Step(
            self.model,
            self.loss,
            self.optimizer,
            l2=config.loss.l2,
            accumulation=config.accumulation,
            bfloat16=bfloat16,
        )
        # With validations it may stop once as many as `patience` were no better than the first.
        fewest = config.validate_every * (config.patience + 1) if validate else config.max_epochs
        left = max(1, min(fewest, config.max_epochs) - self.epoch + 1)
        self.pace = Pace(len(self.batches), left, current_options().deadline)
        while (
            self.epoch <= config.max_epochs and not stopper.exhausted and self._fits_into(seconds)
        ):
            figures = {"loss": self._pass(take, seconds)}
            cut = self._lacking()
            last = self.epoch == config.max_epochs
            if validate and (last or self.epoch % config.validate_every == 0):
                value = validate() if self.ranks.first else 0.0
                value = self.ranks.told_by_first(value, self.model.device)
                figures["ndcg"] = stopper.saw(self.epoch, value)
            self.curve.append({"epoch": self.epoch, **figures, **cut, "seconds": self.seconds})
            # Whoever draws a bar sees it full when training stops early.
            total = self.epoch if stopper.exhausted else config.max_epochs
            report(Progress(step, self.epoch, total, figures))
            self.epoch, self.done, self.total = self.epoch + 1, 0, 0.0
        stopper.restore()
        best = stopper.best_epoch or self.epoch - 1
        trained = Trained(best, stopper.best, self.seconds, stopper.seen, self.curve)
        if self.checkpoint and self.ranks.first:
            self.checkpoint.save({"model": self.model.state_dict(), "trained": asdict(trained)})
        return trained

    def _fits_into(self, seconds: float) -> bool:
        """Whether another epoch, as long as those before it, ends within so many seconds."""
        before = self.epoch - 1
        return not before or not self._over(seconds * before / (before + 1))

    def _over(self, seconds: float) -> bool:
        """Whether so many seconds are over, by one clock for all processes."""
        return (
            seconds < math.inf
            and self.ranks.told_by_first(self.seconds, self.model.device) > seconds
        )

    def _lacking(self) -> dict[str, float]:
        """Of an epoch that the time has cut, what its rest would have taken."""
        if not 0 < self.done < len(self.batches) or isinstance(self.model, SolvedModel):
            return {}
        return {"lacking": self.seconds * (len(self.batches) / self.done - 1)}

    def _pass(self, take: Step, seconds: float) -> float:
        """What remains of this epoch; the mean loss of its batches, or what a sweep reached."""
        if isinstance(self.model, SolvedModel):
            if self.done == 0:
                self.total, self.done = self.model.sweep(), 1
                self._keep()
            return self.total
        if self.done == 0:
            with torch.no_grad():
                self.loss.refresh(self.epoch, *self.model())
        for batch in self.batches.epoch(self.done):
            self._decay()
            self.total += take(batch, self.epoch, self.done + 1)
            self.done += 1
            self.pace.lap()
            self._keep()
            if self.epoch == 1 and self._over(seconds):
                break
        return self.ranks.total(self.total, self.model.device) / self.done

    def _decay(self) -> None:
        horizon = self.config.decay_epochs
        if horizon:
            passed = self.epoch - 1 + self.done / len(self.batches)
            for group in self.optimizer.param_groups:
                group["lr"] = self.config.learning_rate * max(0.0, 1 - passed / horizon)

    def _keep(self) -> None:
        if self.checkpoint and self.ranks.first and self.checkpoint.due:
            self.checkpoint.save(self.state())

    def state(self) -> dict[str, Any]:
        """Everything that the rest of the training depends on, between two batches."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loss": self.loss.state(),
            "stopper": self.stopper.state(),
            "batches": self.batches.state,
            "generators": generator_states(self.model),
            "position": {name: getattr(self, name) for name in POSITION},
            "seconds": self.seconds,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loss.load_state(state["loss"])
        self.stopper.load_state(state["stopper"])
        self.batches.load_state(state["batches"].cpu())
        load_generator_states(self.model, state["generators"])
        for name, value in state["position"].items():
            setattr(self, name, value)
        self.started = time.monotonic() - state["seconds"]


POSITION = ("epoch", "done", "total", "curve")
"""The epoch, how many of its batches are done, their losses' sum, and the epochs before it."""
