"""Who owns a directory: records that are stale, secrets that stay, starts that fail."""

import json
import os
import stat
import sys
import threading
from pathlib import Path

import psutil
import pytest

from graphdb.errors import ServerError
from graphdb.local.ownership import OwnedDirectory, Owner, lock_directory
from graphdb.local.processes import is_alive, spawn, wait_until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


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
