"""The demo as people start it: interrupted wherever it hurts, then to its end, then again.

One home for the whole file: each run starts from what the interrupted ones left. The data is a
corner of MovieLens-100K: the whole example is shown by the first command of `.ci/run`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.processes import assert_nothing_left

# Each waits on what the test before it left, and the whole takes minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST_MEMORY_MB = 4096
DEMO = "demo-ml-100k"
USERS, ITEMS = 250, 500


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("demo")
    yield home
    assert_nothing_left(home / DEMO)


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Path:
    """The first people of MovieLens-100K and what they rated among the first films, with texts."""
    whole, corner = data_folder / "ml-100k", tmp_path_factory.mktemp("corner") / "ml-100k"
    corner.mkdir()
    most = {
        "ml-100k.user": (USERS,),
        "ml-100k.item": (ITEMS,),
        "ml-100k.inter": (USERS, ITEMS),
    }
    for name, ids in most.items():
        header, *lines = (whole / name).read_text("utf-8").splitlines(keepends=True)
        kept = [
            line
            for line in lines
            if all(int(cell) <= last for cell, last in zip(line.split("\t"), ids, strict=False))
        ]
        (corner / name).write_text("".join([header, *kept]), "utf-8")
    shutil.copy(whole / "omdb_metadata.jsonl", corner)
    return corner


@pytest.fixture
def start(home: Path, corner: Path, neo4j_version: str) -> Callable[..., subprocess.Popen[str]]:
    """Start `pathlight demo` in a process group of its own, as a shell would."""

    def start(*arguments: str) -> subprocess.Popen[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("PATHLIGHT_")}
        ours = {"PATHLIGHT_HOME": str(home), "PATHLIGHT_NEO4J_VERSION": neo4j_version}
        if cache := os.environ.get("PATHLIGHT_CACHE"):
            ours["PATHLIGHT_CACHE"] = cache
        return subprocess.Popen(
            [sys.executable, "-m", "api.cli", "demo", "--data", str(corner), *arguments],
            cwd=Path(__file__).parents[2],
            env={**inherited, **ours},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def interrupt(demo: subprocess.Popen[str], step: str | None, pause_s: float) -> tuple[int, str]:
    """Ctrl-C `pause_s` after the line of a finished step; exit status and what came after."""
    assert demo.stderr
    if step:
        for line in demo.stderr:
            if line.startswith(f"  {step} "):
                break
        else:
            pytest.fail(f"the demo ended before {step}")
    time.sleep(pause_s)
    os.killpg(demo.pid, signal.SIGINT)
    _, said = demo.communicate(timeout=90)
    return demo.returncode, said


def run(demo: subprocess.Popen[str]) -> dict:
    out, said = demo.communicate(timeout=800)
    assert demo.returncode == 0, said
    assert said == ""
    return json.loads(out)


@pytest.mark.parametrize(
    ("step", "pause_s"),
    [
        pytest.param(None, 0.2, id="at once"),
        pytest.param(None, 4, id="while Neo4j starts"),
        pytest.param("items", 0.5, id="in the middle of events"),
        pytest.param("events", 3, id="while texts are encoded"),
        pytest.param("export", 5, id="in training"),
    ],
)
def test_ctrl_c_leaves_no_process_behind(home: Path, start, step: str | None, pause_s: float):
    code, said = interrupt(start(), step, pause_s)

    assert code != 0
    if step:
        assert (code, said.splitlines()[-1]) == (130, "stopped"), said
        assert "Traceback" not in said
    assert_nothing_left(home / DEMO)


@pytest.fixture(scope="module")
def told() -> dict[str, dict]:
    """What the first whole run said, for the second."""
    return {}


def test_the_whole_loop_from_what_was_interrupted(home: Path, start, told):
    facts = told["first"] = run(start("--exit", "--json"))

    assert len(facts["people"]) == 3
    for person in facts["people"]:
        answer = person["answer"]
        assert (answer["model_version"], answer["degraded"]) == (facts["model_version"], [])
        assert answer["fallback"] is None
        assert len(person["history"]) == len(answer["items"]) == 5
        seen = {event["id"] for event in person["history"]}
        for item in answer["items"]:
            assert item["item"]["title"]
            assert item["id"] not in seen
            shares = [reason["share"] for reason in item["reasons"]]
            assert sum(shares) == pytest.approx(1, abs=1e-4)
            parts = [reason["contribution"] for reason in item["reasons"]]
            assert sum(parts) == pytest.approx(item["score"], abs=1e-4)
    metrics = facts["metrics"]
    assert metrics["default"]["ndcg@10"] > 1.5 * metrics["popularity"]["ndcg@10"]
    assert {"neo4j", "events", "export", "refit on all", "flip"} <= set(facts["seconds"])
    assert 500 < facts["peak_memory_mb"] < MOST_MEMORY_MB
    assert_nothing_left(home / DEMO)


def test_the_second_run_starts_from_what_the_first_left_and_serves_until_ctrl_c(
    home: Path, start, told
):
    if "first" not in told:
        pytest.fail("the first run did not end")

    demo = start("--json")
    facts = json.loads(demo.stdout.readline())
    code, said = interrupt(demo, None, 0.5)

    assert (code, said.splitlines()[-1]) == (130, "stopped")
    assert_nothing_left(home / DEMO)
    assert facts["model_version"] == told["first"]["model_version"]
    assert not {"texts", "export", "refit on all", "flip"} & set(facts["seconds"])
    lists = [
        [[item["id"] for item in person["answer"]["items"]] for person in facts["people"]]
        for facts in (told["first"], facts)
    ]
    assert lists[0] == lists[1]
