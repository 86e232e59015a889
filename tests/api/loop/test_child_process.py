"""Steps as processes: their progress, their last words, and that none outlives who started it."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from api.loop.child_process import StepFailedError, StepRefusedError, run_step
from graphdb.local.processes import wait_until

SPEAKER = """
import json, sys, time
for done in range(3):
    print(json.dumps({"step": "speak", "done": done, "total": 2, "figures": {}}), flush=True)
print("something for people")
print(json.dumps({"model": "m"}))
"""
SLEEPER = "import time\ntime.sleep(60)\n"
FAILING = "import sys\nprint('first line', file=sys.stderr)\nsys.exit('the last sentence')\n"
REFUSING = "import sys\nprint('the input is not good', file=sys.stderr)\nsys.exit(2)\n"
KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
TOLD = "import os, sys\nsys.exit(os.environ['STEP_TOLD'])\n"
NOISY = "import sys\nsys.stderr.write('x' * 3_000_000 + '\\n')\nsys.exit('the end')\n"


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Make a module that can be run by its name."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(text: str) -> str:
        (tmp_path / "a_step.py").write_text(text)
        return "a_step"

    return make


def nothing(step: str, done: int, total: int) -> None:
    """Nobody watches."""


def test_progress_is_reported_and_other_lines_are_not(module):
    told = []

    run_step(module(SPEAKER), (), lambda *step: told.append(step))

    assert told == [("speak", 0, 2), ("speak", 1, 2), ("speak", 2, 2)]


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        (FAILING, StepFailedError, "^the last sentence$"),
        (REFUSING, StepRefusedError, "^the input is not good$"),
        (KILLED, StepFailedError, "a_step was killed: by hand, or for want of memory"),
        (NOISY, StepFailedError, "the end$"),
    ],
)
def test_what_went_wrong_is_one_sentence(module, text, error, sentence):
    with pytest.raises(error, match=sentence) as raised:
        run_step(module(text), (), nothing)

    assert type(raised.value) is error
    assert len(str(raised.value)) <= 500


def test_the_environment_given_reaches_the_process(module):
    with pytest.raises(StepFailedError, match=r"^an address$"):
        run_step(module(TOLD), (), nothing, env={"STEP_TOLD": "an address"})


def test_a_silent_process_is_stopped_when_its_lease_is_lost(module):
    begun = time.monotonic()

    def alive() -> None:
        if time.monotonic() - begun > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_step(module(SLEEPER), (), nothing, alive=alive)

    assert time.monotonic() - begun < 10
    assert psutil.Process().children(recursive=True) == [] or not [
        child for child in psutil.Process().children() if "a_step" in child.cmdline()
    ]


STARTER = (
    "from api.loop.child_process import run_step\nrun_step({module!r}, {arguments!r}, print)\n"
)


@pytest.mark.parametrize("step", ["training", "ingest"])
def test_an_orphan_ends_by_itself(project, tmp_path, step):
    """It would wait for a manifest that nobody writes, or half a minute for a graph."""
    os.mkfifo(tmp_path / "manifest.json")
    arguments = ["train", str(tmp_path), str(tmp_path / "a")] if step == "training" else []
    env = {**os.environ, "PATHLIGHT_NEO4J_URI": "bolt://127.0.0.1:9"}
    code = STARTER.format(module=step, arguments=arguments)
    starter = subprocess.Popen(
        [sys.executable, "-c", code], cwd=project, env=env, stderr=subprocess.DEVNULL
    )
    process = psutil.Process(starter.pid)
    assert wait_until(lambda: bool(process.children()), 30)
    orphan = process.children()[0]
    orphan.suspend()  # as early as can be: it must not take its next parent for its first

    starter.send_signal(signal.SIGKILL)
    starter.wait(10)
    orphan.resume()

    assert wait_until(lambda: not orphan.is_running(), 20)
