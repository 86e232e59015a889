"""README.md, docs/graph.md, docs/http.md and docs/client.md as their reader runs them: on one real
stack, in order.

The reader is in an empty folder with `docs` beside; curl is told to fail when the API refuses.
"""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from graphdb.local.jars import CacheSettings
from graphdb.local.processes import choose_port
from tests.documents import ROOT, blocks, matches
from tests.processes import assert_nothing_left

CURLRC = 'silent\nshow-error\nfail-with-body\nnoproxy = "*"\nwrite-out = "\\n%{http_code}"\n'
MAKE, *STACK = blocks("README.md", "sh")
COMMANDS = [line for block in STACK for line in block.splitlines()]
PUBLISHED_S = 180
REQUESTS = blocks("docs/http.md", "http")[::2]
ANSWERS = blocks("docs/http.md", "http")[1::2]


@dataclass
class Reader:
    """Someone at a shell: `said` holds what each command printed, `list_id` the id of the list that
    was served last."""

    folder: Path
    port: int
    env: dict[str, str]
    said: dict[str, str]
    list_id: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, command: str) -> str:
        """One command line as it stands, but for the port; it must exit 0."""
        real = command.replace("8000", str(self.port))
        if exported := re.fullmatch(r"export (\w+)=(\S+)", real):
            self.env[exported[1]] = exported[2]
            return ""
        done = subprocess.run(
            ["bash", "-c", real],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        self.said[command] = done.stdout
        return done.stdout

    def python(self, page: str) -> str:
        """What all Python of a page prints, run as one program."""
        text = "\n\n".join(blocks(page, "python")).replace("8000", str(self.port))
        program = self.folder / "program.py"
        program.write_text(text)
        return self.run(f"{shlex.quote(sys.executable)} {program}")

    def json_of(self, part: str) -> tuple[int, dict]:
        """Status and JSON that the one curl command with `part` in it printed."""
        (command,) = [c for c in self.said if part in c and c.startswith("curl")]
        body, _, status = self.said[command].rpartition("\n")
        return int(status), json.loads(body or "{}")

    def answer(self, **query) -> dict:
        return httpx.get(f"{self.url}/v1/recommendations", params=query, trust_env=False).json()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, neo4j_version: str) -> Iterator[Reader]:
    """A reader who has run every command of the README but the last, `pathlight down`."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "docs").symlink_to(ROOT / "docs")
    (folder / ".curlrc").write_text(CURLRC)
    reader = Reader(folder, choose_port(0), environment(folder, neo4j_version), {})
    try:
        for command in COMMANDS[:-1]:
            reader.run(command)
            if command == "pathlight retrain":
                until_published(reader)
        yield reader
    finally:
        last = reader.run(COMMANDS[-1])
    assert last == "stopped: beat, worker, api, consumer, redis, neo4j\n"
    assert_nothing_left(folder / ".pathlight")


def environment(folder: Path, neo4j_version: str) -> dict[str, str]:
    """The reader's: `pathlight` on the PATH, a short sweep, this user's cache of jars."""
    beside = Path(sys.executable).parent
    if not (beside / "pathlight").is_file():
        beside = folder / "bin"
        beside.mkdir()
        shim = beside / "pathlight"
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m api.cli "$@"\n')
        shim.chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PATHLIGHT_")}
    return {
        **inherited,
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CURL_HOME": str(folder),
        "PATHLIGHT_CACHE": str(CacheSettings().cache),
        "PATHLIGHT_NEO4J_VERSION": neo4j_version,
        "PATHLIGHT_SWEEP_S": "1",
        # What is asked here is right or wrong, never late: a shared machine pauses for seconds.
        "PATHLIGHT_GRAPH_PATIENCE_S": "30",
    }


def until_published(reader: Reader) -> None:
    deadline = time.monotonic() + PUBLISHED_S
    while time.monotonic() < deadline:
        if httpx.get(f"{reader.url}/health/ready", trust_env=False).json().get("model_version"):
            return
        time.sleep(0.5)
    pytest.fail(f"nothing was published: {reader.run('pathlight jobs')}")


def test_the_first_two_commands_are_those_of_the_makefile_and_of_ci():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    ci = (ROOT / ".ci" / "run").read_text()

    commands = MAKE.splitlines()

    assert commands == ["make demo", "make test"]
    assert {command.split()[1] for command in commands} <= targets
    assert all(re.search(rf"^{command}\b", ci, re.MULTILINE) for command in commands)
    assert "`make demo EXIT=1 DATA=../shared/data/ml-100k`" in (ROOT / "README.md").read_text()


def test_it_is_short_and_every_command_in_it_is_run_here():
    text = (ROOT / "README.md").read_text("utf-8")

    assert len(text.splitlines()) < 100
    assert COMMANDS[-1] == "pathlight down"
    assert shutil.which("curl")


def test_up_says_where_the_api_is_and_status_shows_every_part(reader: Reader):
    assert f"127.0.0.1:{reader.port}/docs" in reader.said["pathlight up"]
    assert reader.said["pathlight status"].count("running") == 6


def test_events_and_items_go_in_and_recommendations_come_out(reader: Reader):
    assert reader.json_of("-X PUT") == (204, {})
    assert reader.json_of("@docs/events.json") == (
        202,
        {"accepted": 29, "duplicates": 0, "rejected": []},
    )
    assert reader.json_of("wait=true")[1]["accepted"] == 1
    status, answer = reader.json_of('"k": 3')
    assert (status, len(answer["items"])) == (200, 3)
    for item in answer["items"]:
        parts = sum(reason["contribution"] for reason in item["reasons"])
        assert parts == pytest.approx(item["score"], abs=1e-5)
    assert "kolya" not in {item["id"] for item in reader.answer(user_id="ann")["items"]}


def test_jobs_versions_and_the_rollback_are_told(reader: Reader):
    said = reader.said
    first, second = (line.split() for line in said["pathlight versions"].splitlines()[1:])

    assert (first[1], second[1]) == ("serving", "standby")
    assert said["pathlight publish"] == f"version {first[0]} serves\n"
    assert said["pathlight rollback"] == f"version {second[0]} serves again\n"
    assert reader.answer(user_id="ann")["model_version"] == second[0]
    done = [line for line in said["pathlight jobs"].splitlines() if " done " in line]
    assert [line.split(":")[0] for line in done] == ["publish", "train", "export"]


def test_the_terminal_is_told_lists_too(reader: Reader):
    told = reader.run("pathlight recommend ann --k 3 --explain").splitlines()
    similar = json.loads(reader.run("pathlight similar alien --k 2 --json"))

    assert [line.split()[0] for line in told if line.startswith("   ") and ". " in line[:6]] == [
        "1.",
        "2.",
        "3.",
    ]
    assert told[-1].startswith("  version ")
    assert len(similar["items"]) == 2


def test_cypher_answers_as_a_table(reader: Reader):
    (table,) = [said for command, said in reader.said.items() if "cypher" in command]

    assert table.splitlines()[0].split() == ["film", "times"]
    assert len(table.splitlines()) > 3


@pytest.mark.parametrize("statement", blocks("docs/graph.md", "cypher"))
def test_the_statements_of_the_graph_s_page_find_something(reader: Reader, statement: str):
    rows = json.loads(reader.run(f'pathlight cypher --json "{statement}"'))

    assert rows
    assert all(value is not None for value in rows[0].values())


@pytest.mark.parametrize(("request_", "answer"), list(zip(REQUESTS, ANSWERS, strict=True)))
def test_the_examples_of_the_http_page_are_what_happens(reader: Reader, request_: str, answer: str):
    request_ = request_.replace("{recommendation_id}", reader.list_id)
    head, _, body = request_.partition("\n\n")
    method, path = head.split()
    status, _, documented = answer.partition("\n\n")

    real = httpx.request(
        method,
        reader.url + path,
        content=body or None,
        headers={"Content-Type": "application/json"},
        trust_env=False,
    )

    assert status == f"HTTP/1.1 {real.status_code}", real.text
    expected = json.loads(documented) if documented else None
    told = real.json() if real.content else None
    assert matches(expected, told), real.text
    reader.list_id = (told or {}).get("recommendation_id") or reader.list_id


def test_the_python_of_the_readme_prints_lists(reader: Reader):
    items, similar = map(ast.literal_eval, reader.python("README.md").splitlines())

    assert [item["rank"] for item in items] == [1, 2, 3]
    for item in items:
        parts = sum(reason["contribution"] for reason in item["reasons"])
        assert parts == pytest.approx(item["score"], abs=1e-5)
        assert "item" in item
    assert len(similar) == 3
    assert "alien" not in similar


def test_the_python_of_the_client_s_page_does_what_it_says(reader: Reader):
    said = reader.python("docs/client.md")

    assert "unknown_event_type" in said
    assert "422 [{'field': 'body.k'" in said
    assert "'accepted': 1" in said
