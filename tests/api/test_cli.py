"""The command line as a process: quick help, JSON everywhere, one sentence for what is wrong."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api.cli import app

COMMANDS = (
    *("demo", "up", "down", "status", "import", "snapshot", "train", "publish", "rollback"),
    *("versions", "retrain", "jobs", "recommend", "similar", "cypher"),
)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, project: Path) -> Run:
    """Run `pathlight` in a home of its own."""

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PATHLIGHT_")}
        home = {"PATHLIGHT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(project)}
        return subprocess.run(
            [sys.executable, "-P", "-m", "api.cli", *arguments],
            cwd=tmp_path,
            env={**inherited, **home, "COLUMNS": "200", **env},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def on_graph(run: Run, world, neo4j_address, redis_url: str) -> Run:
    """Run `pathlight` on the suite's servers, where version v1 of a small world serves."""

    def run_there(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run(
            *arguments,
            PATHLIGHT_NEO4J_URI=neo4j_address.uri,
            PATHLIGHT_NEO4J_USER=neo4j_address.user,
            PATHLIGHT_NEO4J_PASSWORD=neo4j_address.password,
            PATHLIGHT_REDIS_URL=redis_url,
        )

    return run_there


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that was refused."""
    assert (done.returncode, done.stdout) == (1, ""), (done.stdout, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pathlight: ")
    return lines[0].removeprefix("pathlight: ")


def test_help_is_quick_and_shows_every_command_with_a_sentence(run: Run):
    run("--help")  # what is compiled on first use is not counted
    began = time.monotonic()

    done = run("--help")

    assert done.returncode == 0
    assert time.monotonic() - began < 5
    shown = re.findall(r"^\W*(\w+) {2,}(\w.+?)\W*$", done.stdout, re.MULTILINE)
    assert {name for name, _ in shown} >= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_json(command: str):
    names = {c.name or getattr(c.callback, "__name__", ""): c for c in app.registered_commands}

    assert set(names) == set(COMMANDS)
    assert "as_json" in names[command].callback.__annotations__


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["--domain", "nosuch", "versions"], {}, "domain 'nosuch': neither a shipped domain"),
        (["--domain", "nosuch", "demo"], {}, "domain 'nosuch': neither a shipped domain"),
        (["demo", "--data", "nowhere"], {}, "nowhere: there is no such folder"),
        (["import", "nowhere"], {}, "nowhere: there is no such folder"),
        (["recommend", "ann"], {}, "no API runs here: start the stack with `pathlight up`"),
        (["similar", "x"], {}, "no API runs here: start the stack with `pathlight up`"),
        (["train"], {}, "there is no snapshot in "),
        (["publish"], {}, "there is no artifact in "),
        (["--neo4j", "4.4", "up"], {}, "Neo4j '4.4' has no committed lock; these have: "),
        (["status"], {"PATHLIGHT_API_PORT": "http"}, "PATHLIGHT_API_PORT: Input should be a valid"),
        (
            ["versions"],
            {"PATHLIGHT_NEO4J_URI": "bolt://db.example.org:7687"},
            "PATHLIGHT_NEO4J_URI names the remote host db.example.org without a password",
        ),
        (
            ["up"],
            {"PATHLIGHT_REDIS_URL": "redis://queue.example.org:6379"},
            "PATHLIGHT_REDIS_URL names the remote host queue.example.org without a password",
        ),
    ],
    ids=lambda value: value[-2] if isinstance(value, list) and len(value) > 1 else None,
)
def test_bad_input_is_one_sentence(run: Run, arguments, env, said):
    assert refused(run(*arguments, **env)).startswith(said)


def test_a_snapshot_that_is_none_is_one_sentence(run: Run, tmp_path: Path):
    done = run("train", str(tmp_path))

    assert "is not a snapshot: it has no manifest.json" in refused(done)


def test_a_misspelt_option_is_named(run: Run):
    done = run("status", "--jsno")

    assert done.returncode == 2
    assert "--jsno" in done.stderr


def test_status_of_a_home_where_nothing_runs(run: Run, tmp_path: Path):
    rows = json.loads(run("status", "--json").stdout)

    assert {row["state"] for row in rows} == {"stopped"}
    assert run("down").stdout == "nothing ran\n"


def test_versions_rollback_and_jobs_on_a_graph(on_graph: Run):
    (version,) = json.loads(on_graph("versions", "--json").stdout)

    assert (version["id"], version["state"], version["share"]) == ("v1", "serving", 1.0)
    assert version["metrics"] == {"default": {"ndcg@10": 0.1}}
    assert on_graph("versions").stdout.splitlines()[1].split()[:3] == ["v1", "serving", "a"]
    assert "no earlier version stands by" in refused(on_graph("rollback"))
    assert on_graph("jobs").stdout == "no job was ever asked for\n"
    key = json.loads(on_graph("retrain", "--json").stdout)["job"]
    assert [row["key"] for row in json.loads(on_graph("jobs", "--json").stdout)] == [key]


def test_cypher_reads_and_says_when_it_was_cut(on_graph: Run, graph):
    done = on_graph("cypher", "MATCH (i:Item) RETURN i.title AS title ORDER BY title", "--limit=2")
    rows = json.loads(on_graph("cypher", "--json", "MATCH (u:User) RETURN count(u) AS n").stdout)

    assert done.stdout.splitlines() == ["title ", "Film 0", "Film 1"]
    assert "only the first 2 rows are shown" in done.stderr
    assert rows == [{"n": 12}]
    assert "this one writes" in refused(on_graph("cypher", "MATCH (n) DETACH DELETE n"))
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 12}]
