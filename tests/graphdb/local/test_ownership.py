"""Who owns a directory: stale records, secrets that stay, starts that fail or are joined."""

import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from graphdb.errors import DataVersionError, ServerError
from graphdb.local.ownership import LocalServer, OwnedDirectory, Owner, lock_directory
from graphdb.local.processes import DEFAULT_BOUNDS, is_alive, port_is_free, spawn, wait_until

SLEEPS = "import time; time.sleep(600)"
SLEEP = [sys.executable, "-c", SLEEPS]
LISTENS = f"""
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
{SLEEPS}
"""


@pytest.fixture
def directory(tmp_path: Path) -> OwnedDirectory:
    return OwnedDirectory(tmp_path)


def launch(directory: OwnedDirectory, ready=lambda owner: None) -> Owner:
    log = directory.root / "log"
    return directory.launch(lambda: spawn(SLEEP, log), 1234, "1", ready)


def test_the_owner_is_recorded_privately_and_stopped(directory: OwnedDirectory):
    owner = launch(directory)

    assert directory.owner() == OwnedDirectory(directory.root).owner() == owner
    assert stat.S_IMODE((directory.root / "owner.json").stat().st_mode) == 0o600
    directory.stop()
    assert directory.owner() is None
    assert directory.last_owner() == owner


@pytest.mark.parametrize(
    "record",
    [
        json.dumps({"pid": os.getpid(), "created": 1.0, "port": 1, "version": ""}),
        '{"pid": 1',
        '{"pid": 1}',
        "[]",
    ],
    ids=["another process", "torn", "incomplete", "no object"],
)
def test_a_stale_or_damaged_record_is_no_owner(directory: OwnedDirectory, record: str):
    (directory.root / "owner.json").write_text(record)

    directory.stop()

    assert directory.owner() is None
    assert psutil.pid_exists(os.getpid())


def test_the_password_is_generated_once(directory: OwnedDirectory):
    with pytest.raises(ServerError, match="No server was ever started"):
        directory.password()

    first = directory.ensure_password()

    assert directory.ensure_password() == directory.password() == first
    assert len(first) >= 24
    assert stat.S_IMODE((directory.root / "password").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [ServerError("not ready"), KeyboardInterrupt()])
def test_a_server_that_never_was_ready_is_stopped(directory: OwnedDirectory, error: BaseException):
    seen: list[Owner] = []

    def fail(owner: Owner) -> None:
        seen.append(owner)
        raise error

    with pytest.raises(type(error)):
        launch(directory, fail)

    assert not is_alive(seen[0].child)
    assert directory.owner() is None


def test_the_second_waits_for_the_lock_and_says_so_when_it_does_not_come(tmp_path: Path):
    order: list[str] = []

    def second() -> None:
        with lock_directory(tmp_path, "x.lock", 10):
            order.append("second")

    with lock_directory(tmp_path, "x.lock", 10):
        thread = threading.Thread(target=second)
        thread.start()
        with (
            pytest.raises(ServerError, match="has been busy"),
            lock_directory(tmp_path, "x.lock", 0.1),
        ):
            order.append("never")
        order.append("first")

    assert wait_until(lambda: not thread.is_alive(), 10)
    assert order == ["first", "second"]


def test_an_error_under_the_lock_stays_what_it_is(tmp_path: Path):
    with pytest.raises(PermissionError), lock_directory(tmp_path, "x.lock", 1):
        raise PermissionError("of the block")


class Little(LocalServer):
    """A program that is given a port and is ready once somebody listens there."""

    product = "Little"
    ready_s = 20.0

    def __init__(self, root: Path, program: str = LISTENS, port: int = 0) -> None:
        super().__init__(root, "1", port, DEFAULT_BOUNDS)
        self.console = self.root / "console.log"
        self.program = program

    def start(self) -> tuple[Owner, bool]:
        return self.start_or_join(lambda port: [sys.executable, "-c", self.program, str(port)])

    def answers(self, owner: Owner) -> bool:
        return not port_is_free(owner.port)


@pytest.fixture
def little(tmp_path: Path) -> Iterator[Callable[..., Little]]:
    """Make a server of one directory; what runs there is stopped in the end."""
    yield lambda *given, **named: Little(tmp_path / "little", *given, **named)
    OwnedDirectory(tmp_path / "little").stop()


def test_of_many_starts_one_starts_it_and_the_others_join_once_it_answers(little):
    def start(_: int) -> tuple[Owner, bool, bool]:
        server = little()
        owner, started = server.start()
        return owner, started, server.answers(owner)

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(start, range(4)))

    assert len({owner for owner, _, _ in told}) == 1
    assert sorted(started for _, started, _ in told) == [False, False, False, True]
    assert all(answered for _, _, answered in told)


def test_started_again_it_has_its_port_and_its_password(little):
    first, _ = little().start()
    password = little().password()
    little().stop()

    second, started = little().start()

    assert started
    assert (second.port, little().password()) == (first.port, password)
    assert second.pid != first.pid


def test_one_that_ends_says_its_last_words(little):
    with pytest.raises(ServerError, match=r"^Little 1 ended while starting: no luck$"):
        little("raise SystemExit('no luck')").start()

    assert little().owner() is None


def test_one_that_does_not_answer_in_time_is_stopped(little, monkeypatch):
    monkeypatch.setattr(Little, "ready_s", 1.0)

    with pytest.raises(ServerError, match=r"^Little 1 did not answer within 1 s\.$"):
        little(SLEEPS).start()

    last = little().last_owner()
    assert last and not is_alive(last.child)


def test_a_port_in_use_is_one_sentence_and_nothing_is_started(little, tmp_path):
    other = Little(tmp_path / "other")
    port = other.start()[0].port
    try:
        with pytest.raises(ServerError, match=rf"Port {port} on 127\.0\.0\.1 is already in use"):
            little(port=port).start()
    finally:
        other.stop()

    assert little().last_owner() is None


def test_where_the_data_is_not_its_own_nothing_is_started(little, monkeypatch):
    def refuse(server: Little) -> None:
        raise DataVersionError("another's")

    monkeypatch.setattr(Little, "check_data", refuse)

    with pytest.raises(DataVersionError, match="another's"):
        little().start()

    assert little().last_owner() is None
