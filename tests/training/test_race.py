from dataclasses import dataclass, field

import pytest

from training.loop import TrainingConfig
from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCNConfig
from training.race import Candidate, race

FIRST = TrainingConfig(max_epochs=20)
OTHER = TrainingConfig(loss=BprConfig(), max_epochs=20)
TEMPERED = TrainingConfig(loss=FIRST.loss.model_copy(update={"temperature": 0.5}), max_epochs=20)


@dataclass(frozen=True)
class Trained:
    best: float
    epochs: int


@dataclass(frozen=True)
class Run:
    """What a race asks of an attempt, of a clock on which each epoch takes a second."""

    model: LightGCNConfig
    training: TrainingConfig
    trained: Trained
    seconds_an_epoch: float = 1.0
    early: float = field(default=0.5)

    def after(self, epochs: int) -> float:
        return self.early


def raced(seconds: float, *, other: float = 0.4, hops: int = 3) -> list[tuple[int, str, int]]:
    """Hops, loss and epochs of each run of a race where two hops are best; BPR has `other`."""

    def by_hops(best: Run | None) -> list[Candidate]:
        return [(LightGCNConfig(hops=count), FIRST) for count in range(1, hops + 1)]

    def by_loss(best: Run | None) -> list[Candidate]:
        return [(best.model if best else LightGCNConfig(hops=1), OTHER)]

    def by_temperature(best: Run | None) -> list[Candidate]:
        return [(best.model, TEMPERED)] if best else []

    def run(model, training) -> Run:
        reached = other if training.loss.name == "bpr" else 0.5 + (model.hops == 2) / 4
        return Run(model, training, Trained(reached, training.max_epochs))

    tried = race([by_hops, by_loss, by_temperature], run, seconds)
    return [(run.model.hops, run.training.loss.name, run.training.max_epochs) for run in tried]


def test_with_time_each_stage_is_trained_to_its_end():
    assert raced(seconds=1000) == [
        (1, "in_batch_softmax", 20),
        (2, "in_batch_softmax", 20),
        (3, "in_batch_softmax", 20),
        (2, "bpr", 4),
        (2, "bpr", 20),
        (2, "in_batch_softmax", 20),
    ]


def test_a_loss_that_is_far_behind_is_left_after_a_few_epochs():
    assert [row for row in raced(seconds=1000, other=0.1) if row[1] == "bpr"] == [(2, "bpr", 4)]


@pytest.mark.parametrize(("other", "winner"), [(0.4, "in_batch_softmax"), (0.9, "bpr")])
def test_in_a_hurry_all_sprint_and_the_best_has_the_rest(other, winner):
    *sprints, last = raced(seconds=40, other=other)

    assert sprints == [*((hops, "in_batch_softmax", 2) for hops in (1, 2, 3)), (1, "bpr", 2)]
    assert last == (1 if winner == "bpr" else 2, winner, 20)


def test_without_time_one_epoch_is_trained_and_validated():
    assert raced(seconds=0, hops=1)[0] == (1, "in_batch_softmax", 1)
