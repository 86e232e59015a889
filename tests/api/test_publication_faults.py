"""Publishers that die, files that are missing or torn, a version that goes back: real processes."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from api.loop.publication import publish
from graphdb.local.processes import wait_until
from graphdb.versions.versions import begin_version, fetch_serving, list_versions
from tests.api.conftest import api_on, process_settings
from tests.api.faults import Client
from tests.api.versions import build_artifact

pytestmark = pytest.mark.faults


@pytest.fixture
def client(api_url) -> Iterator[Client]:
    """A client of an API that has mapped v1."""
    with Client(api_url) as client:
        assert wait_until(client.warm, 30, 0.2)
        yield client


def test_a_version_whose_files_are_missing_answers_from_the_graph_until_they_are_there(
    client, graph, artifacts, tmp_path
):
    build_artifact(graph, tmp_path / "elsewhere" / "v2", seed=5)
    publish(graph, tmp_path / "elsewhere" / "v2")

    assert wait_until(lambda: client.degraded() == ["artifact"], 20, 0.2)
    answer = client.recommend()
    similar = client.ask("GET", "/v1/items/3/similar")

    assert (answer["model_version"], answer["fallback"]) == ("v2", "published")
    assert health(client) == ("v2", ["artifact"])
    assert len(answer["items"]) == 5
    assert similar.status_code == 200
    assert similar.json()["model_version"] == "v2"  # its weights are in the graph
    shutil.copytree(tmp_path / "elsewhere" / "v2", artifacts / "v2")
    assert wait_until(lambda: client.degraded() == [], 20, 0.2)
    assert client.recommend()["model_version"] == "v2"
    assert health(client) == ("v2", [])


def health(client: Client) -> tuple[str, list[str]]:
    told = client.ask("GET", "/health/ready").json()
    return told["model_version"], told["degraded"]


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_with_no_readable_version_the_graph_says_what_is_popular(
    world, neo4j_address, artifacts, empty_stream, damage
):
    if damage == "missing":
        shutil.rmtree(artifacts / "v1")
    else:
        (artifacts / "v1" / "items.parquet").write_bytes(b"torn")

    with api_on(neo4j_address, artifacts.parent, empty_stream) as url, Client(url) as client:
        # Its first statements may take longer than an answer may wait for the graph.
        assert wait_until(client.answers, 30, 0.2)
        answer = client.recommend()

        assert (answer["model_version"], answer["degraded"]) == ("v1", ["artifact"])
        assert answer["fallback"] == "published"
        assert len(answer["items"]) == 5
        assert wait_until(lambda: client.ready() == 200, 30, 0.2)


def test_rollback_changes_the_version_of_the_next_answer(client, graph, artifacts, on_graph):
    build_artifact(graph, artifacts / "v2", seed=5)
    publish(graph, artifacts / "v2")
    before = client.recommend()

    done = on_graph("rollback")
    after = client.recommend()

    assert done.returncode == 0, done.stderr
    assert "version v1 serves again" in done.stdout
    assert (before["model_version"], after["model_version"]) == ("v2", "v1")
    assert (before["degraded"], after["degraded"]) == ([], [])


PUBLISHER = """
import os, signal, sys
from pathlib import Path
from api.loop.publication import publish
from graphdb.connection import Graph, Neo4jSettings

def progress(step, done, total):
    if step == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

with Graph.from_settings(Neo4jSettings()) as graph:
    publish(graph, Path(sys.argv[1]), fence=1, progress=progress)
"""


@pytest.mark.parametrize("step", ["clear", "items", "users", "similar", "index", "probe", "flip"])
def test_a_publisher_killed_at_any_step_leaves_old_or_new_and_the_next_finishes(
    graph, world, artifacts, neo4j_address, project, step
):
    build_artifact(graph, artifacts / "v2", seed=5)
    env = process_settings(neo4j_address, artifacts.parent, redis="")
    command = [sys.executable, "-c", PUBLISHER, str(artifacts / "v2"), step]
    killed = subprocess.run(command, cwd=project, env={**os.environ, **env}, check=False)

    assert killed.returncode == -signal.SIGKILL
    served = fetch_serving(graph)
    assert served and served["id"] == ("v2" if step == "flip" else "v1")
    if step != "flip":
        publish(graph, artifacts / "v2", fence=2)
    held = {row["id"]: (row["state"], row["share"]) for row in list_versions(graph)}
    assert held == {"v2": ("serving", 1.0), "v1": ("standby", None)}


def test_a_slot_abandoned_by_a_dead_publisher_is_taken_by_the_next(graph, world, artifacts):
    for name in ("v2", "v3"):
        build_artifact(graph, artifacts / name, seed=5)
    publish(graph, artifacts / "v2")
    begin_version(graph, "dead", {}, fence=1)

    publish(graph, artifacts / "v3")

    states = {row["id"]: row["state"] for row in list_versions(graph)}
    assert states == {"v3": "serving", "v2": "standby", "v1": "retired", "dead": "retired"}
