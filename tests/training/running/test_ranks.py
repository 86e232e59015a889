"""Two processes that torchrun starts, on the CPU by gloo."""

import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.numpy import load_file

from training.running.loop import TrainingConfig
from training.running.ranks import Ranks, joined
from training.search.recipe import RecipeConfig
from training.train import train

ROOT = Path(__file__).parents[3]


def in_two(snapshot: Path, artifact: Path) -> subprocess.CompletedProcess[str]:
    command = ["training", "train", str(snapshot), str(artifact), "--processes", "2"]
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_alone_there_is_nobody_to_ask():
    with joined() as ranks:
        assert ranks == Ranks.current() == Ranks(0, 1)
        assert ranks.first
    assert ranks.total(2.5, torch.device("cpu")) == 2.5
    assert ranks.told_by_first(1.5, torch.device("cpu")) == 1.5


def test_two_processes_train_what_one_does_in_two_parts(make_snapshot, tmp_path):
    """The whole command: the same choices, the same weights, written and told once."""
    rows = [(user, (user + 2 * step) % 10, 1.0, step) for user in range(20) for step in range(4)]
    snapshot = make_snapshot(rows, 20, 10)

    done = in_two(snapshot, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    in_parts = RecipeConfig(training=TrainingConfig(accumulation=2))
    alone = train(snapshot, tmp_path / "one", config=in_parts)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["model"] for line in lines if "model" in line] == ["two"]
    assert lines[-1]["metrics"] == alone.metrics
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("one", "two"))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        torch.testing.assert_close(
            torch.from_numpy(second[name]), torch.from_numpy(weight), rtol=1e-4, atol=1e-6
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "snapshot", "two"]


def test_what_two_refuse_is_said_last(make_snapshot, tmp_path):
    done = in_two(make_snapshot([], 2, 2), tmp_path / "two")

    assert done.returncode == 2
    assert "nothing to learn from" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "two").exists()
