from dataclasses import dataclass

from training.loop import TrainingConfig
from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCNConfig
from training.race import race


@dataclass(frozen=True)
class Run:
    """What a race asks of an attempt, of a clock that takes a second an epoch."""

    model: LightGCNConfig
    training: TrainingConfig
    trained: "Run | None" = None
    best: float = 0.0
    epochs: int = 1
    seconds_an_epoch: float = 1.0


def raced(seconds: float, candidates: int = 3, after: int = 1) -> list[Run]:
    """The runs of a race whose candidate of two hops is the best at any length."""

    def run(model, training) -> Run:
        result = Run(model, training, best=float(model.hops == 2), epochs=training.max_epochs)
        return Run(model, training, trained=result)

    models = [LightGCNConfig(hops=hops) for hops in range(1, candidates + 1)]
    then = TrainingConfig(loss=BprConfig(), max_epochs=20)
    return race(
        [(model, TrainingConfig(max_epochs=20)) for model in models],
        lambda best: [(best.model, then)] * after,
        run,
        seconds,
    )


def test_with_time_everything_is_trained_to_its_end_and_then_what_follows_from_the_best():
    tried = raced(seconds=1000)

    assert [run.model.hops for run in tried] == [1, 2, 3, 2]
    assert {run.training.max_epochs for run in tried} == {20}
    assert tried[-1].training.loss == BprConfig()


def test_in_a_hurry_all_sprint_and_the_best_has_the_rest():
    tried = raced(seconds=30)

    assert [(run.model.hops, run.training.max_epochs) for run in tried] == [
        (1, 2),
        (2, 2),
        (3, 2),
        (2, 20),
    ]


def test_without_time_one_epoch_is_trained_and_validated():
    tried = raced(seconds=0, candidates=1)

    assert [run.training.max_epochs for run in tried] == [1]
    assert tried[0].training.validate_every == 1
