"""A stack that is interrupted while it starts leaves no process and no record."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from api.local.stack import up
from api.local.stack_state import StackState
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from tests.api.tiny_parts import TINY
from tests.processes import assert_nothing_left


@pytest.mark.parametrize(
    ("moment", "number"), [("neo4j 0", signal.SIGINT), ("neo4j 1", signal.SIGTERM)]
)
def test_an_interrupted_up_leaves_nothing_behind(
    tmp_path: Path, start_up, neo4j_version: str, moment: str, number: int
):
    run = start_up(tmp_path, PATHLIGHT_NEO4J_VERSION=neo4j_version)

    interrupt_at(run, moment, number, pause_s=1.5 if moment == "neo4j 0" else 0)

    assert_nothing_left(tmp_path)


LATER = [("redis", 0), ("redis", 1), ("api", 0), ("beat", 0), ("api", 1), ("beat", 1)]


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        *((moment, signal.SIGINT) for moment in LATER),
        (LATER[0], signal.SIGTERM),
        (LATER[0], signal.SIGHUP),
    ],
)
def test_an_interrupt_at_any_later_step_leaves_nothing_behind(
    tmp_path: Path, given: Neo4jSettings, moment: tuple[str, int], number: int
):
    def interrupt(step: str, done: int, total: int) -> None:
        if (step, done) == moment:
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        up(Settings(home=tmp_path), given, interrupt, TINY)

    assert_nothing_left(tmp_path)
    assert StackState.read(tmp_path).parts == {}


def interrupt_at(run: subprocess.Popen, moment: str, number: int, pause_s: float = 0) -> None:
    """Send the signal when `up` reports `moment`, and again: the second must not stop clean-up."""
    assert run.stdout
    for line in run.stdout:
        if line.strip() == moment:
            break
    time.sleep(pause_s)
    run.send_signal(number)
    time.sleep(0.3)
    if run.poll() is None:
        run.send_signal(number)
    said, _ = run.communicate(timeout=60)
    assert "started" not in said
    assert run.returncode != 0
