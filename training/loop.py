"""The training loop: batches, the optimiser, early stopping; any model that gives final vectors.

It knows neither the model's inside nor what is measured to stop it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny

from training.errors import DivergedError
from training.logits import l2_penalty
from training.loss import Batch, Loss, LossConfig
from training.losses.in_batch_softmax import InBatchSoftmaxConfig
from training.model import Model
from training.world import World


class TrainingConfig(BaseModel):
    """How a model is trained.

    `weight_decay`: AdamW's, on all parameters; `patience`: validations without a
    better one before stopping; `validate_every`: epochs between validations.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss: SerializeAsAny[LossConfig] = InBatchSoftmaxConfig()
    learning_rate: float = Field(default=1e-2, ge=0, le=10)
    batch_size: int = Field(default=4096, ge=1, le=1_000_000)
    weight_decay: float = Field(default=0.1, ge=0, le=10)
    max_epochs: int = Field(default=60, ge=1, le=10_000)
    validate_every: int = Field(default=2, ge=1, le=1_000)
    patience: int = Field(default=3, ge=1, le=1_000)

    @property
    def cosine(self) -> bool:
        """Whether the score that is trained, and then serves, is the cosine."""
        return self.loss.similarity == "cosine"

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


@dataclass(frozen=True)
class Trained:
    """`epochs`: the best by validation, where the model now stands; `validations`: in order.

    curve: an entry an epoch: `epoch`, `loss` (its batches' mean), `seconds` since the start with
    the epoch's validation, and `ndcg` where there was one.
    """

    epochs: int
    best: float | None
    seconds: float
    validations: list[float]
    curve: list[dict[str, float]]


def choose_device() -> torch.device:
    """CUDA when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def train_model(
    model: Model,
    world: World,
    config: TrainingConfig,
    seed: int,
    *,
    validate: Callable[[], float] | None = None,
    report: Report = silent,
    step: str = "training",
) -> Trained:
    """Train `model` on the positives of `world`; each of them once an epoch.

    With `validate` (higher is better) it stops early and goes back to the best epoch; without it
    it trains `max_epochs`. On the CPU the same seed gives the same weights.

    Raises DivergedError naming the epoch and batch whose loss is not finite.
    """
    started = time.monotonic()
    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    loss = config.loss.build(world, model.device)
    batches = _Batches(world, config, seed, model.device)
    stopper = _EarlyStopping(model, config.patience)
    curve = []
    for epoch in range(1, config.max_epochs + 1):
        figures = {"loss": _epoch(model, optimizer, batches, loss, epoch, config.loss.l2)}
        if validate and epoch % config.validate_every == 0:
            figures["ndcg"] = stopper.saw(epoch, validate())
        curve.append({"epoch": epoch, **figures, "seconds": time.monotonic() - started})
        # Whoever draws a bar sees it full when training stops early.
        total = epoch if stopper.exhausted else config.max_epochs
        report(Progress(step, epoch, total, figures))
        if stopper.exhausted:
            break
    stopper.restore()
    return Trained(
        stopper.best_epoch or epoch, stopper.best, time.monotonic() - started, stopper.seen, curve
    )


class _Batches:
    """The positives in a new order each epoch, drawn from one seeded generator."""

    def __init__(self, world: World, config: TrainingConfig, seed: int, device: torch.device):
        pairs = world.graph.tocoo()
        self.item_count = world.graph.shape[1]
        self.users = torch.from_numpy(pairs.row.astype(np.int64)).to(device)
        self.items = torch.from_numpy(pairs.col.astype(np.int64)).to(device)
        self.weight = torch.from_numpy(pairs.data.astype(np.float32)).to(device)
        self.value = torch.from_numpy(world.positive_values).to(device)
        self.size, self.negatives = config.batch_size, config.loss.negatives
        self.generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.randperm(len(self.users), generator=self.generator)
        for rows in order.to(self.users.device).split(self.size):
            drawn = torch.randint(self.item_count, (self.negatives,), generator=self.generator)
            yield Batch(
                self.users[rows],
                self.items[rows],
                self.weight[rows],
                self.value[rows],
                drawn.to(self.users.device),
            )


def _epoch(
    model: Model,
    optimizer: torch.optim.Optimizer,
    batches: _Batches,
    loss: Loss,
    epoch: int,
    l2: float,
) -> float:
    """One pass; the mean loss."""
    total, number = 0.0, 0
    device = model.device
    with torch.no_grad():
        loss.refresh(epoch, *model())
    for number, batch in enumerate(batches, start=1):
        optimizer.zero_grad()
        if loss.every_item:
            given, vectors = batch, model()
        else:
            given = batch.compact()
            vectors = model.rows(given.user_rows, given.item_rows)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            error = loss(*vectors, given)
        if l2:
            users, items = vectors
            rows = users[given.user_index], items[given.item_index]
            error = error + l2 * l2_penalty(*rows, given.weight)
        value = error.item()
        if not np.isfinite(value):
            raise DivergedError(
                f"the loss became {value} in epoch {epoch}, batch {number} (users"
                f" {batch.user_index.min().item()} to {batch.user_index.max().item()}); lower the"
                " learning rate or look for vectors that are not finite"
            )
        error.backward()
        optimizer.step()
        total += value
    return total / number


class _EarlyStopping:
    """Keeps the parameters of the best validation and counts those that were no better."""

    def __init__(self, model: torch.nn.Module, patience: int):
        self.model, self.patience = model, patience
        self.best, self.best_epoch, self.waited = None, None, 0
        self.seen, self.state = [], None

    @property
    def exhausted(self) -> bool:
        return self.waited >= self.patience

    def saw(self, epoch: int, value: float) -> float:
        self.seen.append(value)
        self.waited += 1
        if self.best is None or value > self.best:
            self.best, self.best_epoch, self.waited = value, epoch, 0
            self.state = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        return value

    def restore(self) -> None:
        if self.state is not None:
            self.model.load_state_dict(self.state)
