"""What serves, seen and changed from the command line."""

import json

from tests.api.pathlight import Run, refused


def test_versions_rollback_and_jobs_on_a_graph(on_graph: Run):
    (version,) = json.loads(on_graph("versions", "--json").stdout)

    assert (version["id"], version["state"], version["share"]) == ("v1", "serving", 1.0)
    assert version["metrics"] == {"default": {"ndcg@10": 0.1}}
    assert on_graph("versions").stdout.splitlines()[1].split()[:3] == ["v1", "serving", "a"]
    assert "no earlier version stands by" in refused(on_graph("rollback"))
    assert on_graph("jobs").stdout == "no job was ever asked for\n"
    key = json.loads(on_graph("retrain", "--json").stdout)["job"]
    assert [row["key"] for row in json.loads(on_graph("jobs", "--json").stdout)] == [key]
