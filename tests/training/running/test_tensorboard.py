"""What training reports is read back from the event file, by TensorBoard's own reader."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.running.loop import Progress
from training.running.tensorboard import both, live_directory, scalar_log, tag

STEP = "search: lightgcn 2 hops, temperature 0.2"
TAG = "search_lightgcn_2_hops_temperature_0.2"


def read(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """Each curve's (epoch, value)."""
    found = EventAccumulator(str(directory)).Reload()
    return {
        name: [(event.step, event.value) for event in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def epochs(report, *numbers: int) -> None:
    for epoch in numbers:
        report(Progress(STEP, epoch, 9, {"loss": 1 / epoch, "ndcg": epoch / 8}))


def test_figures_are_curves_by_epoch_in_the_artifact(tmp_path):
    artifact = tmp_path / "m1"
    with scalar_log(artifact) as report:
        epochs(report, 1, 2)
        report(Progress("load", 0, 1))
        assert live_directory(artifact).is_dir()
        artifact.mkdir()

    assert read(artifact / "tensorboard") == {
        f"{TAG}/loss": [(1, 1.0), (2, 0.5)],
        f"{TAG}/ndcg": [(1, 0.125), (2, 0.25)],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["m1"]


def test_a_directory_that_is_given_keeps_them(tmp_path):
    with scalar_log(tmp_path / "m1", tmp_path / "logs") as report:
        epochs(report, 1)

    assert read(tmp_path / "logs")[f"{TAG}/loss"] == [(1, 1.0)]
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_a_run_that_was_interrupted_adds_to_what_is_there(tmp_path):
    artifact = tmp_path / "m1"
    with pytest.raises(KeyboardInterrupt), scalar_log(artifact) as report:
        epochs(report, 1)
        raise KeyboardInterrupt
    with scalar_log(artifact) as report:
        epochs(report, 2)
        artifact.mkdir()

    assert [epoch for epoch, _ in read(artifact / "tensorboard")[f"{TAG}/loss"]] == [1, 2]


def test_a_name_is_one_that_tensorboard_takes():
    assert tag(STEP, "ndcg@10") == f"{TAG}/ndcg_10"


def test_both_are_told():
    told = []
    both(told.append, told.append)(Progress("x", 1, 1))

    assert [progress.step for progress in told] == ["x", "x"]
