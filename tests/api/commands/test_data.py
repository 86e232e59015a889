"""Data in and out from the command line."""

import json

from tests.api.pathlight import Run


def test_a_snapshot_says_where_it_is(on_graph: Run, tmp_path):
    written = json.loads(on_graph("snapshot", "--json").stdout)["snapshot"]

    assert written.startswith(str(tmp_path / "home" / "snapshots"))
