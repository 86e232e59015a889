"""Arrays of a version that is gone do not stay in the process."""

import subprocess
import sys

# As the first array is freed glibc raises its threshold: the others come from the heap then, each
# before an object that stays.
KEPT = """
import sys
from pathlib import Path
import numpy as np
from api.serving.heap import give_back_arrays

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 / 1024

if sys.argv[1] == "back":
    give_back_arrays()
array = np.ones(3_900_000)
del array
before = resident()
arrays, stay = [], []
for _ in range(100):
    arrays.append(np.ones(100_000))
    stay.append(np.ones(1_000))
del arrays
print(resident() - before)
"""


def left_mb(how: str) -> float:
    command = [sys.executable, "-c", KEPT, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_freed_arrays_go_back_to_the_system_and_did_not_before():
    assert left_mb("back") < 10
    assert left_mb("as it is") > 40
