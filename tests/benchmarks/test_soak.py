"""The soak in small, on real servers: versions come and go under a mixed load."""

import json
import subprocess
import sys

WORDS = "--minutes 0.3 --publish-minutes 0.08 --fastest-seconds 5"
SHOP = "--items 600 --users 400 --events 8000"


def test_no_answer_is_missing_or_of_mixed_versions_while_versions_change(monkeypatch):
    # A crowded machine is no fault of an answer's.
    monkeypatch.setenv("PATHLIGHT_GRAPH_PATIENCE_S", "60")
    command = [sys.executable, "-m", "benchmarks.soak", *WORDS.split(), *SHOP.split()]

    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    figures = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert figures["soak.errors"]["value"] == 0, done.stderr
    assert figures["soak.mixed"]["value"] == 0
    assert figures["soak.checked"]["value"] > 20
    assert figures["soak.versions"]["value"] > 1
    assert figures["soak.memory.api"]["value"] > 0
    assert "seed 1" in done.stderr
