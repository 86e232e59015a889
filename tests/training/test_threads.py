"""How threads wait is said before torch is there, and who has said so already is heard."""

import os
import subprocess
import sys

import pytest

from training.threads import SPINS

TOLD = """
import os, sys
from training.threads import wait_briefly
wait_briefly()
assert "torch" not in sys.modules
import torch
print(os.environ.get("GOMP_SPINCOUNT"))
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, str(SPINS)),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "passive"}, "None"),
    ],
)
def test_a_few_looks_unless_the_environment_says_otherwise(said, expected):
    own = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}

    done = subprocess.run(
        [sys.executable, "-c", TOLD],
        env=own | said | {"OMP_DISPLAY_ENV": "VERBOSE"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == expected
    [heard] = [line for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]
    assert heard.split("'")[1] == {"None": "0"}.get(expected, expected)
