"""A published world in the run's graph, and real API processes that serve it."""

import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from api.answers.recommender import Recommender
from api.cli import main
from api.serving.breaker import GraphBreaker
from api.serving.serving import Serving
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.local.processes import choose_port
from graphdb.schema import create_schema
from tests.api.pathlight import Run
from tests.api.worlds import Worlds
from tests.wiping import wipe
from training.artifact import Artifact

READY_S = 60


@pytest.fixture(scope="module")
def module_graph(neo4j_address) -> Iterator[Graph]:
    """The run's graph for all tests of a module; `module_world` fills it."""
    address, domain = neo4j_address, load_domain("films")
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph, indexes=False)
        create_schema(graph, domain)
        yield graph


@pytest.fixture(scope="module")
def module_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module's directory, where its artifacts lie."""
    home = tmp_path_factory.mktemp("home")
    (home / "artifacts").mkdir()
    return home


@pytest.fixture(scope="module")
def module_world(module_graph: Graph, module_home: Path, worlds: Worlds) -> Artifact:
    """The small world in the module's graph, version v1 of it serving; returns the artifact."""
    return worlds.place(module_graph, load_domain("films"), module_home / "artifacts")


@pytest.fixture
def serving(graph, artifacts) -> Serving:
    """What serves, as an API process keeps it."""
    return Serving(graph, artifacts, GraphBreaker(deadline=30))


@pytest.fixture
def recommender(serving, domain) -> Recommender:
    return Recommender(serving, domain)


@pytest.fixture
def api_url(world, neo4j_address, artifacts: Path, empty_stream: str) -> Iterator[str]:
    """A real API that serves the world, and a consumer."""
    with api_on(neo4j_address, artifacts.parent, empty_stream) as url:
        yield url


@contextmanager
def api_on(address, home: Path, redis: str = "", **env: str) -> Generator[str]:
    """A real API process on a graph, with `home` as its directory; gives its address.

    With the address of a Redis a consumer runs beside it: the stream there must be empty, or this
    graph's.
    """
    port = choose_port(0)
    settings = process_settings(address, home, redis)
    with ExitStack() as block:
        if redis:
            block.enter_context(consumer_on(address, home, redis, **env))
        yield block.enter_context(api_at(settings | env, home, port))


def process_settings(address, home: Path, redis: str) -> dict[str, str]:
    """What a process is told: where the graph and the stream are, and its directory."""
    return {
        "PATHLIGHT_HOME": str(home),
        "PATHLIGHT_NEO4J_URI": address.uri,
        "PATHLIGHT_NEO4J_USER": address.user,
        "PATHLIGHT_NEO4J_PASSWORD": address.password,
        "PATHLIGHT_REDIS_URL": redis,
    }


@contextmanager
def consumer_on(address, home: Path, redis: str, **env: str) -> Generator[subprocess.Popen]:
    """A real consumer process; what it says is in `home/consumer.log`."""
    with (home / "consumer.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.consumer"],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **process_settings(address, home, redis), **env},
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def api_at(settings: dict[str, str], home: Path, port: int) -> Generator[str]:
    """A real API process on this port, told these settings; gives its address."""
    command = ["uvicorn", "--factory", "api.app:create_app", "--no-access-log"]
    command += ["--port", str(port)]
    with (home / "api.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=Path(__file__).parents[2],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _wait(url: str, process: subprocess.Popen) -> None:
    """Until the process answers; fails when it has ended or takes too long."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"{url}/health/live", trust_env=False, timeout=1)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    pytest.fail(f"the API did not start (exit {process.poll()})")


def until_mapped(url: str) -> None:
    """Until the process is ready and has the version that serves in memory."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        ready = httpx.get(f"{url}/health/ready", trust_env=False)
        if ready.is_success and ready.json()["model_version"]:
            return
        time.sleep(0.1)
    pytest.fail("the API did not map the version that serves")


def until_ranked(url: str) -> None:
    """Until the process has read its rankings."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if httpx.get(f"{url}/v1/rankings/popular", trust_env=False).json().get("as_of"):
            return
        time.sleep(0.1)
    pytest.fail("the API did not read its rankings")


def environment(folder: Path, **env: str) -> dict[str, str]:
    """What `pathlight` is told where nothing else is: a home of its own in this folder."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PATHLIGHT_")}
    return {**inherited, "PATHLIGHT_HOME": str(folder / "home"), "COLUMNS": "200", **env}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `pathlight` in this process, in a home of its own."""

    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        words = ["pathlight", *arguments]
        out, err = StringIO(), StringIO()
        with (
            chdir(tmp_path),
            patch.object(sys, "argv", words),
            # Restored with whatever the program itself has written there.
            patch.dict(os.environ, environment(tmp_path, **env), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        code = int(ended.value.code or 0)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def run_process(tmp_path: Path, project: Path) -> Run:
    """Run `pathlight` as a process, in a home of its own."""

    def run_process(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "api.cli", *arguments],
            cwd=tmp_path,
            env=environment(tmp_path, PYTHONPATH=str(project), **env),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run_process


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
