import time

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.worlds import world_of
from training.errors import DivergedError
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.running import memory
from training.running.loop import TrainingConfig, train_model
from training.running.memory import OutOfMemoryError
from training.running.options import RunOptions, running_with
from training.running.pace import OverBudgetError, Pace

CONFIG = LightGCNConfig(dimensions=8)


def weights_after(graph, seed: int, **training) -> np.ndarray:
    model = LightGCN(CONFIG, world_of(graph), seed=seed)
    train_model(model, world_of(graph), TrainingConfig(**{"max_epochs": 3, **training}), seed)
    return model.item_embedding.detach().numpy()


def test_the_same_seed_gives_the_same_weights(checkerboard):
    graph = sp.csr_matrix(checkerboard)

    first, again, other = (weights_after(graph, seed, batch_size=50) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_gradients_do_not_pile_up(checkerboard):
    """With learning rate 0 and one batch, the second step's gradient equals the first's."""
    graph = sp.csr_matrix(checkerboard)
    gradients = []
    for epochs in (1, 2):
        model = LightGCN(CONFIG, world_of(graph), seed=1)
        train_model(
            model, world_of(graph), TrainingConfig(learning_rate=0.0, max_epochs=epochs), seed=1
        )
        assert model.item_embedding.grad is not None
        gradients.append(model.item_embedding.grad.clone())

    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-4)


def test_the_learning_rate_falls_to_zero_over_its_epochs(checkerboard):
    graph = sp.csr_matrix(checkerboard)

    fell, kept, longer = (
        weights_after(graph, 1, batch_size=50, **settings)
        for settings in (
            {"max_epochs": 3, "decay_epochs": 3},
            {"max_epochs": 3},
            {"max_epochs": 5, "decay_epochs": 3},
        )
    )

    assert not np.array_equal(fell, kept)
    # With nothing left of the rate the last two epochs move nothing, by a decay of weights neither.
    assert np.array_equal(fell, longer)


def test_an_epoch_that_would_not_end_in_time_is_not_begun(checkerboard, monkeypatch):
    """On a clock where an epoch takes ten seconds."""
    graph = sp.csr_matrix(checkerboard)
    clock = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)

    def epochs(seconds: float) -> int:
        def validate() -> float:
            nonlocal clock
            clock += 10
            return clock

        model = LightGCN(CONFIG, world_of(graph), seed=1)
        config = TrainingConfig(max_epochs=9, validate_every=1)
        told = {"validate": validate, "seconds": seconds}
        return len(train_model(model, world_of(graph), config, 1, **told).curve)

    assert [epochs(seconds) for seconds in (1, 29, 30, 1000)] == [1, 2, 3, 9]


def test_time_that_is_over_ends_the_first_epoch_with_its_batch(checkerboard, monkeypatch):
    """On a clock where a batch of ten takes a second, and a validation two."""
    graph, clock = sp.csr_matrix(checkerboard), 0.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)

    def tick(seconds: float) -> None:
        nonlocal clock
        clock += seconds

    def validate() -> float:
        tick(2)
        return clock

    monkeypatch.setattr(Pace, "lap", lambda pace: tick(1))
    model = LightGCN(CONFIG, world_of(graph), seed=1)
    config = TrainingConfig(max_epochs=9, validate_every=1, batch_size=-(-graph.nnz // 10))

    trained = train_model(model, world_of(graph), config, 1, validate=validate, seconds=3)

    assert [(row["epoch"], row["ndcg"]) for row in trained.curve] == [(1, 6.0)]
    assert trained.curve[0]["lacking"] == pytest.approx(6)
    assert (trained.seconds, trained.seconds_an_epoch) == (6, pytest.approx(12))


def test_stops_early_and_goes_back_to_the_best_epoch(checkerboard):
    graph = sp.csr_matrix(checkerboard)
    model = LightGCN(CONFIG, world_of(graph), seed=1)
    values, states = iter([0.1, 0.3, 0.2, 0.2, 0.9]), []

    def validate() -> float:
        states.append(model.item_embedding.detach().clone())
        return next(values)

    config = TrainingConfig(max_epochs=50, validate_every=2, patience=2)
    trained = train_model(model, world_of(graph), config, seed=1, validate=validate)

    assert (trained.epochs, trained.best, trained.validations) == (4, 0.3, [0.1, 0.3, 0.2, 0.2])
    assert torch.equal(model.item_embedding, states[1])


def test_the_curve_has_every_epoch_and_the_validations_where_they_were(checkerboard):
    graph = sp.csr_matrix(checkerboard)
    model, told = LightGCN(CONFIG, world_of(graph), seed=1), []
    values = iter([0.1, 0.2, 0.3])

    trained = train_model(
        model,
        world_of(graph),
        TrainingConfig(max_epochs=5, validate_every=2),
        seed=1,
        validate=lambda: next(values),
        report=told.append,
    )

    assert [row["epoch"] for row in trained.curve] == [1, 2, 3, 4, 5]
    assert [row.get("ndcg") for row in trained.curve] == [None, 0.1, None, 0.2, 0.3]
    assert [row["loss"] for row in trained.curve] == [step.figures["loss"] for step in told]
    seconds = [row["seconds"] for row in trained.curve]
    assert 0 < seconds[0] <= seconds[-1] <= trained.seconds
    assert seconds == sorted(seconds)


def test_a_loss_that_is_not_finite_is_noticed_with_its_batch(checkerboard):
    graph = sp.csr_matrix(checkerboard)
    model = LightGCN(CONFIG, world_of(graph), seed=1)
    with torch.no_grad():
        model.user_embedding[3, 0] = float("nan")

    with pytest.raises(DivergedError, match="epoch 1, batch 1"):
        train_model(model, world_of(graph), TrainingConfig(), seed=1)


def test_what_does_not_fit_is_refused_before_it_starts(checkerboard, monkeypatch):
    monkeypatch.setattr(memory, "available", lambda device: 10_000)

    with pytest.raises(
        OutOfMemoryError, match=r"reduce dimensions \(8\), batch_size \(4,096\), or"
    ):
        weights_after(sp.csr_matrix(checkerboard), seed=1)


def test_running_out_of_memory_on_the_way_names_the_training_and_what_to_reduce(checkerboard):
    graph = sp.csr_matrix(checkerboard)
    model = LightGCN(CONFIG, world_of(graph), seed=1)

    with pytest.raises(OutOfMemoryError, match=r"out of memory in mine: reduce dimensions \(8\)"):
        train_model(
            model,
            world_of(graph),
            TrainingConfig(validate_every=1),
            seed=1,
            step="mine",
            validate=lambda: float(torch.empty(2**50).sum()),
        )


def test_a_training_that_cannot_end_in_time_is_refused(checkerboard):
    with (
        running_with(RunOptions(deadline=time.monotonic())),
        pytest.raises(
            OverBudgetError, match=r"at least .* \(3 epochs of .* of its budget are left"
        ),
    ):
        weights_after(sp.csr_matrix(checkerboard), seed=1)


def test_a_training_begins_where_the_start_puts_the_model(checkerboard):
    def start(model) -> None:
        torch.nn.init.constant_(model.item_embedding, 0.25)

    with running_with(RunOptions(start=start)):
        found = weights_after(sp.csr_matrix(checkerboard), seed=1, learning_rate=0.0)

    assert (found == 0.25).all()
