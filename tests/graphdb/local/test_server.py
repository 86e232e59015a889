"""A real Neo4j as a child process: who owns it, what survives, what is refused."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import neo4j
import psutil
import pytest

from graphdb.errors import DataVersionError, ServerError
from graphdb.local.processes import is_alive
from graphdb.local.server import LocalNeo4j, bolt_uri

START = """
import sys
from pathlib import Path
from typing import LiteralString
from graphdb.local.server import LocalNeo4j
owner, started = LocalNeo4j(Path(sys.argv[1]), sys.argv[2]).start()
print(owner.pid, started)
"""
OTHER_LINE = {"2026.08.1": "5.26.30", "5.26.30": "2026.08.1"}


@pytest.fixture(scope="module")
def server(neo4j_version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNeo4j]:
    """A directory of this module's own; a test may stop or kill what runs in it."""
    server = LocalNeo4j(tmp_path_factory.mktemp("owned"), neo4j_version)
    yield server
    server.stop()


def start_elsewhere(directory: Path, version: str, project: Path) -> subprocess.Popen:
    command = [sys.executable, "-c", START, str(directory), version]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)


def run(server: LocalNeo4j, statement: LiteralString, **parameters: object) -> list:
    owner = server.owner()
    assert owner
    auth = ("neo4j", server.password())
    with neo4j.GraphDatabase.driver(bolt_uri(owner.port), auth=auth) as driver:
        return driver.execute_query(statement, parameters, database_="neo4j").records


def test_of_two_starts_at_once_one_owns_and_the_other_joins(
    server: LocalNeo4j, neo4j_version: str, project: Path
):
    runs = [start_elsewhere(server.root, neo4j_version, project) for _ in range(2)]
    said = sorted(run.communicate(timeout=180)[0].split() for run in runs)

    owner = server.owner()
    assert owner
    assert sorted(said, key=lambda words: words[1]) == [
        [str(owner.pid), "False"],
        [str(owner.pid), "True"],
    ]
    assert server.start() == (owner, False)


def test_the_server_is_on_loopback_in_a_session_of_its_own(server: LocalNeo4j):
    owner, _ = server.start()

    addresses = {
        connection.laddr.ip.removeprefix("::ffff:")
        for connection in psutil.Process(owner.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
    assert os.getsid(owner.pid) == owner.pid != os.getsid(0)


def test_secrets_are_readable_by_their_user_only(server: LocalNeo4j):
    owner, _ = server.start()

    modes = {
        name: stat.S_IMODE((server.root / name).stat().st_mode)
        for name in ("password", "owner.json")
    }
    assert modes == {"password": 0o600, "owner.json": 0o600}
    assert len(server.password()) >= 24
    assert server.password() not in " ".join(psutil.Process(owner.pid).cmdline())


def test_a_killed_server_is_noticed_and_the_next_keeps_data_port_and_password(server: LocalNeo4j):
    first, _ = server.start()
    password = server.password()
    run(server, "UNWIND range(1, 1000) AS n CREATE (:Kept {n: n})")

    os.kill(first.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_alive(first.child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.owner() is None
    second, started = server.start()

    assert started
    assert second.pid != first.pid
    assert second.port == first.port
    assert server.password() == password
    assert run(server, "MATCH (k:Kept) RETURN sum(k.n) AS total")[0]["total"] == 500500


def test_a_stopped_server_is_gone(server: LocalNeo4j):
    owner, _ = server.start()

    server.stop()

    assert server.owner() is None
    assert not psutil.pid_exists(owner.pid)


def test_data_of_the_other_line_is_refused(tmp_path: Path, neo4j_version: str):
    (tmp_path / "neo4j-version").write_text(OTHER_LINE[neo4j_version])

    with pytest.raises(DataVersionError, match=rf"belongs to Neo4j {OTHER_LINE[neo4j_version]}"):
        LocalNeo4j(tmp_path, neo4j_version).start()


def test_a_server_that_cannot_start_says_its_last_words(tmp_path: Path, neo4j_version: str):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "databases").write_text("a file where a folder must be")
    server = LocalNeo4j(tmp_path, neo4j_version)

    with pytest.raises(ServerError, match=r"ended while starting: .+"):
        server.start()

    assert server.owner() is None


@pytest.mark.parametrize("moment_s", [0.7, 1.5, 4.0])
def test_an_interrupted_start_leaves_no_process(
    tmp_path: Path, neo4j_version: str, project: Path, moment_s: float
):
    starter = start_elsewhere(tmp_path, neo4j_version, project)
    time.sleep(moment_s)
    starter.send_signal(signal.SIGINT)

    starter.communicate(timeout=60)

    assert starter.returncode != 0
    left = [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in str(p.info["cmdline"])]
    assert left == []
