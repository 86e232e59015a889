"""A published world in the run's graph, and real API processes that serve it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.breaker import GraphBreaker
from api.publication import publish
from api.recommender import Recommender
from api.serving import Serving
from graphdb.processes import choose_port
from tests.api.versions import build_artifact, fill_graph

READY_S = 60


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The home's directory of artifacts."""
    directory = tmp_path / "home" / "artifacts"
    directory.mkdir(parents=True)
    return directory


@pytest.fixture
def world(graph, domain, artifacts):
    """The graph with a small world in it and version v1 of it serving; returns the artifact."""
    fill_graph(graph, domain)
    artifact = build_artifact(graph, artifacts / "v1")
    publish(graph, artifacts / "v1")
    return artifact


@pytest.fixture
def serving(graph, artifacts) -> Serving:
    """What serves, as an API process keeps it."""
    return Serving(graph, artifacts, GraphBreaker(deadline=30))


@pytest.fixture
def recommender(serving, domain) -> Recommender:
    return Recommender(serving, domain)


@pytest.fixture
def api_process(neo4j_address, project: Path, artifacts: Path) -> Callable:
    """Start a real API on the run's graph: a context manager that gives its address."""

    @contextmanager
    def start(**env: str) -> Iterator[str]:
        port = choose_port(0)
        log = (artifacts.parent / "api.log").open("wb")
        settings = {
            "PATHLIGHT_HOME": str(artifacts.parent),
            "PATHLIGHT_NEO4J_URI": neo4j_address.uri,
            "PATHLIGHT_NEO4J_USER": neo4j_address.user,
            "PATHLIGHT_NEO4J_PASSWORD": neo4j_address.password,
        }
        command = ["uvicorn", "--factory", "api.app:create_app", "--port", str(port)]
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=project,
            env={**os.environ, **settings, **env},
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
            log.close()

    return start


@pytest.fixture
def api_url(world, api_process) -> Iterator[str]:
    """A real API that serves the world."""
    with api_process() as url:
        yield url


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
