from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from tests.training.worlds import full_world
from training.loss import LossConfig
from training.losses.sl_at_k import SlAtKConfig
from training.model import Model, ModelConfig, SolvedModel
from training.models.lightgcn import LightGCNConfig
from training.running.checkpoints import (
    Checkpoint,
    CheckpointError,
    Checkpoints,
    fingerprint,
    generator_states,
    load_generator_states,
)
from training.running.loop import TrainingConfig, train_model
from training.running.options import RunOptions, running_with
from training.running.trained import Trained

GRAPH = sp.csr_matrix(np.random.default_rng(3).integers(0, 2, (14, 12)).astype(np.float32))
SETTINGS = [(kind(dimensions=4), SlAtKConfig(negatives=5)) for kind in ModelConfig.kinds().values()]
SETTINGS += [(LightGCNConfig(dimensions=4), kind()) for kind in LossConfig.kinds().values()]


class KilledError(BaseException):
    """Stands for a signal that nothing catches."""


def trained(
    model_config: ModelConfig, loss: LossConfig, checkpoints: Checkpoints | None = None
) -> tuple[Model, Trained]:
    """Three epochs of several batches; what is validated depends on the weights."""
    world = full_world(GRAPH)
    model = model_config.build(world, seed=1)
    config = TrainingConfig(loss=loss, batch_size=20, max_epochs=3, validate_every=1)

    def validate() -> float:
        return float(model.export().item_vectors[0, 0])

    with running_with(RunOptions(checkpoints=checkpoints)):
        return model, train_model(model, world, config, 1, validate=validate)


@pytest.fixture
def kill_after(monkeypatch) -> Callable[[int], None]:
    """Have the process "killed" just after so many states were saved."""

    def arrange(saves: int) -> None:
        left, save = [saves], Checkpoint.save

        def counted(self, state) -> None:
            save(self, state)
            left[0] -= 1
            if left[0] == 0:
                raise KilledError

        monkeypatch.setattr(Checkpoint, "save", counted)

    return arrange


@pytest.mark.parametrize(("model_config", "loss"), SETTINGS, ids=lambda settings: settings.name)
def test_whatever_is_trained_goes_on_bit_by_bit(model_config, loss, tmp_path, kill_after):
    """Once inside an epoch and once at the end of one; a sweep is whole."""
    whole, expected = trained(model_config, loss)
    checkpoints = Checkpoints(tmp_path / "run", minutes=0)
    batches = -(-GRAPH.nnz // 20)
    for saves in (2, 1) if isinstance(whole, SolvedModel) else (batches + 2, batches - 2):
        kill_after(saves)
        with pytest.raises(KilledError):
            trained(model_config, loss, checkpoints)
    kill_after(-1)

    model, found = trained(model_config, loss, checkpoints)

    assert_equal_weights(model, whole)
    assert (found.epochs, found.best, found.validations) == (
        expected.epochs,
        expected.best,
        expected.validations,
    )
    assert [row["loss"] for row in found.curve] == [row["loss"] for row in expected.curve]


def test_a_training_that_ended_is_passed_over(tmp_path, monkeypatch):
    config, loss = LightGCNConfig(dimensions=4), SlAtKConfig(negatives=5)
    checkpoints = Checkpoints(tmp_path)
    whole, expected = trained(config, loss, checkpoints)
    monkeypatch.setattr(torch.optim.AdamW, "step", None)

    model, found = trained(config, loss, checkpoints)

    assert_equal_weights(model, whole)
    assert found == expected


@pytest.mark.parametrize(
    ("model_config", "loss"),
    [
        (LightGCNConfig(dimensions=4, hops=1), SlAtKConfig(negatives=5)),
        (LightGCNConfig(dimensions=4), SlAtKConfig(negatives=6)),
    ],
    ids=["model", "loss"],
)
def test_other_settings_are_another_training(model_config, loss, tmp_path):
    checkpoints = Checkpoints(tmp_path)
    trained(LightGCNConfig(dimensions=4), SlAtKConfig(negatives=5), checkpoints)

    model, _ = trained(model_config, loss, checkpoints)

    assert_equal_weights(model, trained(model_config, loss)[0])
    assert len(list(tmp_path.iterdir())) == 2


def test_a_write_that_fails_leaves_the_last_state(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "one.pt", seconds=0)
    checkpoint.save({"epoch": 1})

    def fill_the_disk(state, file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fill_the_disk)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save({"epoch": 2})

    assert checkpoint.load() == {"epoch": 1}


@pytest.mark.parametrize("kept", [0, 10, 500])
def test_a_file_that_was_cut_is_named(kept, tmp_path):
    checkpoint = Checkpoint(tmp_path / "one.pt", seconds=0)
    checkpoint.save({"weights": torch.ones(100)})
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:kept])

    with pytest.raises(CheckpointError, match=r"one\.pt is not whole"):
        checkpoint.load()


def test_a_state_is_due_when_its_minutes_have_passed(tmp_path):
    assert Checkpoints(tmp_path, minutes=0).of("x").due
    assert not Checkpoints(tmp_path, minutes=1).of("x").due


def test_nothing_is_left_of_a_run_that_is_removed(tmp_path: Path):
    made = Checkpoints(tmp_path / "run")
    made.of("x").save({})

    made.remove()

    assert list(tmp_path.iterdir()) == []
    assert made.of("x").load() is None


def test_the_fingerprint_is_of_everything_that_is_learned_from():
    world = full_world(GRAPH)
    text, events = world.text, world.events
    assert text is not None
    assert events is not None
    others = [
        replace(world, text=text + 1),
        replace(world, text=None),
        replace(world, events=replace(events, value=events.value + 1)),
        replace(world, relations=world.relations[:1]),
        replace(world, node_counts={"Genre": 3}),
        world.with_interactions(world.interactions.take(world.interactions.user_index > 0)),
    ]

    found = [fingerprint(each) for each in [world, *others]]

    assert len(set(found)) == len(found)
    assert fingerprint(full_world(GRAPH)) == found[0]
    assert fingerprint("ab", "c") != fingerprint("a", "bc")


def test_generators_of_a_model_and_its_parts_go_on():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    model.sampler = torch.Generator().manual_seed(1)
    model[1].sampler = np.random.default_rng(2)

    def draw() -> tuple:
        return (
            torch.rand(1).item(),
            torch.rand(1, generator=model.sampler).item(),
            model[1].sampler.random(),
        )

    with torch.random.fork_rng([]):
        states = generator_states(model)
        first, second = draw(), draw()
        load_generator_states(model, states)
        again = draw()

    assert first == again != second


def assert_equal_weights(first: Model, second: Model) -> None:
    left, right = first.state_dict(), second.state_dict()
    assert left.keys() == right.keys()
    for name, weight in left.items():
        assert torch.equal(weight, right[name]), name
