"""Jars on a real cache folder; the network is real where a jar is missing, refused where said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from graphdb.local.jar_lock import DEFAULT_VERSION, Jar, read_lock, sha256_of
from graphdb.local.jars import CacheSettings, fetch_jars

NO_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
FETCH = """
import sys
from pathlib import Path
from graphdb.errors import PathlightError
from graphdb.local.jars import fetch_jars
try:
    fetch_jars(sys.argv[1], Path(sys.argv[2]))
except PathlightError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def filled_cache() -> Path:
    """The user's own cache, filled; tests that break jars copy it."""
    cache = CacheSettings().cache
    fetch_jars(DEFAULT_VERSION, cache)
    return cache


@pytest.fixture
def own_cache(filled_cache: Path, tmp_path: Path) -> Path:
    """A copy of the filled cache that a test may break."""
    shutil.copytree(filled_cache / "neo4j" / DEFAULT_VERSION, tmp_path / "neo4j" / DEFAULT_VERSION)
    return tmp_path


def smallest() -> Jar:
    return next(jar for jar in read_lock(DEFAULT_VERSION) if jar.artifact == "neo4j")


def start_fetch(cache: Path, project: Path, **env: str) -> subprocess.Popen:
    command = [sys.executable, "-c", FETCH, DEFAULT_VERSION, str(cache)]
    environment = {**os.environ, **env, "no_proxy": "", "NO_PROXY": ""}
    return subprocess.Popen(
        command, cwd=project, env=environment, stderr=subprocess.PIPE, text=True
    )


def test_a_whole_cache_needs_no_network_and_reports_all_jars(filled_cache: Path):
    seen: list[tuple[int, int]] = []

    lib = fetch_jars(DEFAULT_VERSION, filled_cache, lambda done, total: seen.append((done, total)))

    total = len(read_lock(DEFAULT_VERSION))
    assert seen == [(total, total)]
    assert lib == filled_cache / "neo4j" / DEFAULT_VERSION


@pytest.mark.parametrize("damage", ["truncated", "altered", "missing"])
def test_only_the_damaged_jar_is_fetched_again(own_cache: Path, damage: str):
    jar = smallest()
    lib = own_cache / "neo4j" / DEFAULT_VERSION
    path = lib / jar.filename
    data = path.read_bytes()
    before = {p.name: p.stat().st_mtime_ns for p in lib.glob("*.jar")}
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"x" + data[1:])

    seen: list[int] = []
    fetch_jars(DEFAULT_VERSION, own_cache, lambda done, total: seen.append(total - done))

    after = {p.name: p.stat().st_mtime_ns for p in lib.glob("*.jar")}
    assert sha256_of(path) == jar.sha256
    assert seen == [1, 0]
    assert {name for name in before if before[name] != after[name]} == {jar.filename}
    assert not list(lib.glob(".staging-*"))


def test_two_processes_fetch_into_one_cache_at_once(own_cache: Path, project: Path):
    lib = own_cache / "neo4j" / DEFAULT_VERSION
    jars = sorted(read_lock(DEFAULT_VERSION))[:8]
    for jar in jars:
        (lib / jar.filename).unlink()

    runs = [start_fetch(own_cache, project) for _ in range(2)]
    said = [run.communicate(timeout=120)[1] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], said
    assert all(sha256_of(lib / jar.filename) == jar.sha256 for jar in jars)


def test_no_network_and_no_cache_is_one_sentence(tmp_path: Path, project: Path):
    run = start_fetch(tmp_path / "empty", project, **NO_NETWORK)
    said = run.communicate(timeout=120)[1].strip()

    assert run.returncode == 1
    assert len(said.splitlines()) == 1
    assert "no network" in said and "PATHLIGHT_CACHE" in said
    assert str(tmp_path / "empty") in said


def test_no_network_with_a_cache_is_no_error(own_cache: Path, project: Path):
    run = start_fetch(own_cache, project, **NO_NETWORK)

    assert run.communicate(timeout=120)[1] == ""
    assert run.returncode == 0


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path, project: Path):
    (tmp_path / "file").write_text("in the way")

    run = start_fetch(tmp_path / "file", project)

    said = run.communicate(timeout=60)[1].strip()
    assert run.returncode == 1
    assert len(said.splitlines()) == 1
    assert "cannot be kept" in said


def test_the_cache_is_where_the_setting_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATHLIGHT_CACHE", str(tmp_path))

    assert CacheSettings().cache == tmp_path
