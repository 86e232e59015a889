from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCNConfig
from training.running.loop import TrainingConfig
from training.search.race import Candidate, calmest, quickest, race

SEED = 3
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
    ndcg: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def after(self, epochs: int) -> float:
        return 0.5


def raced(seconds: float, *, other: float = 0.46, hops: int = 3) -> list[tuple[int, str, int]]:
    """Hops, loss and epochs of each run of a race where two hops are best; BPR has `other`."""

    def by_loss(best: Run | None) -> list[Candidate]:
        return [(LightGCNConfig(hops=1), training) for training in (FIRST, OTHER)]

    def by_hops(best: Run | None) -> list[Candidate]:
        training = best.training if best else FIRST
        return [(LightGCNConfig(hops=count), training) for count in range(2, hops + 1)]

    def by_temperature(best: Run | None) -> list[Candidate]:
        return [(best.model, TEMPERED)] if best and best.training.loss.name != "bpr" else []

    def run(model, training, seconds, start) -> Run:
        reached = other if training.loss.name == "bpr" else 0.5
        reached += (model.hops == 2) / 4 - (training.loss == TEMPERED.loss) / 8
        epochs = max(1, int(min(training.max_epochs, seconds)))
        if start:
            assert (start.model, start.training.loss) == (model, training.loss)
            assert training.decay_epochs == epochs
            epochs += start.trained.epochs
        return Run(model, training, Trained(reached, epochs), ndcg=np.full(1, reached))

    # What was tried is not tried again.
    tried, chosen = race([by_loss, by_hops, by_temperature, by_temperature], run, seconds)
    assert chosen.trained.best == max(run.trained.best for run in tried)
    return [(run.model.hops, told(run.training), run.trained.epochs) for run in tried]


def told(training: TrainingConfig) -> str:
    return training.loss.name + (" falling" if training.decay_epochs else "")


def test_with_time_each_stage_is_trained_to_its_end_and_the_best_anew_with_a_falling_rate():
    assert raced(seconds=1000) == [
        (1, "in_batch_softmax", 20),
        (1, "bpr", 6),
        (1, "bpr", 20),
        (2, "in_batch_softmax", 20),
        (3, "in_batch_softmax", 20),
        (2, "in_batch_softmax", 20),
        (2, "in_batch_softmax falling", 20),
    ]


def test_a_loss_that_is_far_behind_is_left_after_a_few_epochs():
    assert [row for row in raced(seconds=1000, other=0.1) if row[1] == "bpr"] == [(1, "bpr", 6)]


@pytest.mark.parametrize(("other", "winner"), [(0.4, "in_batch_softmax"), (0.9, "bpr")])
def test_in_a_hurry_all_sprint_and_the_best_goes_on_for_the_rest(other, winner):
    *sprints, last = raced(seconds=30, other=other)

    assert sprints[:4] == [
        (1, "in_batch_softmax", 2),
        (1, "bpr", 2),
        (2, winner, 2),
        (3, winner, 2),
    ]
    assert last == (2, f"{winner} falling", 20)


def test_where_not_even_an_epoch_fits_what_is_quick_is_tried_alone():
    """On a clock where an epoch takes ten seconds a hop."""

    def stage(*hops: int) -> Callable:
        return lambda best: [
            (LightGCNConfig(hops=count), training) for count in hops for training in (FIRST, OTHER)
        ]

    def run(model, training, seconds, start) -> Run:
        epochs = max(1, int(min(training.max_epochs, seconds / (10 * model.hops))))
        epochs += start.trained.epochs if start else 0
        reached = np.full(1, 0.5 + (training.loss.name == "bpr") / 4)
        return Run(model, training, Trained(reached[0], epochs), 10 * model.hops, reached)

    def tried(seconds: float) -> list[tuple[int, str]]:
        found, _ = race([stage(2), stage(1, 3)], run, seconds, quick=[stage(1)])
        return [(each.model.hops, told(each.training)) for each in found]

    everything = [(2, "in_batch_softmax"), (2, "bpr"), (1, "in_batch_softmax"), (1, "bpr")]
    quickly = [(1, "in_batch_softmax"), (1, "bpr"), (1, "bpr falling")]
    # A sprint's part is .4 of the time for each of six.
    assert tried(seconds=301)[:4] == everything
    assert tried(seconds=290) == quickly


def test_without_time_one_epoch_is_trained_and_validated():
    assert raced(seconds=0, hops=1)[0] == (1, "in_batch_softmax", 1)


def test_within_one_standard_error_the_highest_temperature_is_taken():
    ndcg = np.random.default_rng(1).random(100)

    def run(temperature: float, loss: float, *, hops: int = 1) -> Run:
        tempered = FIRST.loss.model_copy(update={"temperature": temperature})
        training = FIRST.model_copy(update={"loss": tempered})
        noise = np.random.default_rng(2).normal(0, 0.1, 100)
        return Run(LightGCNConfig(hops=hops), training, Trained(0, 1), ndcg=ndcg - loss + noise)

    best = run(0.2, 0)
    alike, worse, deeper = run(0.3, 0.001), run(0.4, 0.5), run(0.5, 0.001, hops=2)
    best = replace(best, ndcg=ndcg)

    assert calmest(best, [best, alike, worse, deeper]) is alike
    assert calmest(best, [best, worse, deeper]) is best


def test_of_those_that_chance_sets_apart_the_one_with_the_shortest_epochs_is_taken():
    each = np.random.default_rng(SEED).normal(0.5, 0.1, 2_500)

    def run(hops: int, shift: float, seconds_an_epoch: float) -> Run:
        noise = np.random.default_rng(hops).normal(0, 0.05, 2_500)
        ndcg = each + shift + noise - noise.mean()
        trained = Trained(float(ndcg.mean()), 2)
        return Run(LightGCNConfig(hops=hops), FIRST, trained, seconds_an_epoch, ndcg)

    one, two, three = run(1, 0, 18), run(2, 0.0005, 20), run(3, 0.001, 36)

    assert quickest([one, two, three]) is two
    assert quickest([one, three]) is one
    assert quickest([one, run(3, 0.01, 36)]).model.hops == 3
