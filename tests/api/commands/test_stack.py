"""The stack's commands in a home where nothing runs."""

import json
from pathlib import Path

from tests.api.pathlight import Run


def test_status_of_a_home_where_nothing_runs(run: Run, tmp_path: Path):
    rows = json.loads(run("status", "--json").stdout)

    assert {row["state"] for row in rows} == {"stopped"}
    assert run("down").stdout == "nothing ran\n"
