"""Fail points: named, counted, and nothing at all unless asked for."""

import os
import signal
import subprocess
import sys

import pytest

from ingest.stream.fail_points import VARIABLE, failing, reach

CODE = """from ingest.stream.fail_points import reach
for n in range(3): reach('here'); print(n, flush=True)
"""


@pytest.mark.parametrize(
    ("told", "printed", "code"),
    [
        ("here", [], -signal.SIGKILL),
        ("here:3", ["0", "1"], -signal.SIGKILL),
        ("elsewhere", ["0", "1", "2"], 0),
    ],
)
def test_a_process_dies_where_and_when_it_is_told(project, told, printed, code):
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=project,
        env={**os.environ, VARIABLE: told},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.split(), done.returncode) == (printed, code)


def test_a_hook_sees_every_place_while_its_block_lasts():
    seen = []

    with failing(seen.append):
        reach("one")
        reach("two")
    reach("three")

    assert seen == ["one", "two"]
