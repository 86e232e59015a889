"""How the tests of this folder start a stack."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from graphdb.connection import Neo4jSettings


@pytest.fixture
def given(neo4j_address) -> Neo4jSettings:
    """The suite's Neo4j as an address from outside, so that a stack starts in seconds."""
    password = SecretStr(neo4j_address.password)
    return Neo4jSettings(uri=neo4j_address.uri, user=neo4j_address.user, password=password)


@pytest.fixture
def start_up(project: Path) -> Callable[..., subprocess.Popen]:
    """Start `up` in another process, as `pathlight up` does; each step is a line of its output."""

    def start(home: Path, **env: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.api.tiny_parts"]
        environment = {**os.environ, "PATHLIGHT_HOME": str(home), **env}
        return subprocess.Popen(
            command,
            cwd=project,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start
