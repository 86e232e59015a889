"""`python -m training` as a task starts it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from training.artifact import read_model
from training.train import train

ROOT = Path(__file__).parents[2]
STARTER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "training", "train", *sys.argv[1:]],
                         stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def command(*arguments) -> list[str]:
    return [sys.executable, "-m", "training", "train", *map(str, arguments)]


def some_events(users: int, items: int, count: int) -> list[tuple]:
    drawn = np.random.default_rng(1).integers(0, [users, items], (count, 2))
    return [(int(user), int(item), 1.0, at) for at, (user, item) in enumerate(drawn)]


def test_prints_progress_and_the_model_as_json_lines(make_snapshot, tmp_path):
    snapshot = make_snapshot(some_events(8, 9, 40), 8, 9)

    done = subprocess.run(
        command(snapshot, tmp_path / "m1", "--seed", 5),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"step", "done", "total", "figures"} == set(lines[0])
    assert lines[-1]["model"] == "m1"
    assert json.loads((tmp_path / "m1" / "model.json").read_text())["seed"] == 5


def test_bad_input_is_one_sentence_and_not_zero(make_snapshot, tmp_path):
    snapshot = make_snapshot([], 2, 2)

    done = subprocess.run(
        command(snapshot, tmp_path / "m1"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "nothing to learn from" in done.stderr


def test_an_artifact_that_is_there_is_refused(make_snapshot, tmp_path):
    snapshot = make_snapshot(some_events(8, 9, 40), 8, 9)
    (tmp_path / "m1").mkdir()

    done = subprocess.run(
        command(snapshot, tmp_path / "m1"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert done.stderr == f"{tmp_path / 'm1'} is there already: name a new directory\n"


def test_a_command_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "training", "teach", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 2
    assert "invalid choice: 'teach'" in done.stderr
    assert "train" in done.stderr


def test_ends_when_the_process_that_started_it_is_killed(make_snapshot, tmp_path):
    snapshot = make_snapshot(some_events(400, 300, 20_000), 400, 300)
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(snapshot), str(tmp_path / "m1")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 15
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(child)
    assert not (tmp_path / "m1").exists()


def test_what_kill_9_interrupted_goes_on_to_the_same_bits(make_snapshot, tmp_path):
    snapshot = make_snapshot(some_events(60, 40, 900), 60, 40)
    checkpoints = tmp_path / ".cut.training"
    often = ("--checkpoint-minutes", "0")
    killed = subprocess.Popen(
        command(snapshot, tmp_path / "cut", *often), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert killed.stdout is not None
    for line in killed.stdout:
        told = json.loads(line)
        if "hops 1" in told["step"] and told["done"] == 2:
            break
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    killed.stdout.close()
    assert not (tmp_path / "cut").exists()
    assert len(list(checkpoints.glob("*.pt"))) >= 2

    done = subprocess.run(
        command(snapshot, tmp_path / "cut", *often),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    train(snapshot, tmp_path / "whole")

    steps = [json.loads(line).get("step", "") for line in done.stdout.splitlines()]
    assert not any("hops 2" in step for step in steps if "temperature 0.2" in step)
    assert not checkpoints.exists()
    files = [read_model(tmp_path / name).files for name in ("cut", "whole")]
    assert files[0] == files[1]


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody waited for is not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
