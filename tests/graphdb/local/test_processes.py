"""Child processes for real: sessions, stale pids, ports, interrupts held back."""

import os
import signal
import socket
import stat
import sys
from pathlib import Path

import psutil
import pytest

from graphdb.errors import ServerError
from graphdb.local.processes import (
    Child,
    LogBounds,
    choose_port,
    deferred_interrupts,
    is_alive,
    last_words,
    one_interrupt,
    port_is_free,
    spawn,
    stop,
    wait_until,
    write_private,
)

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_child_runs_in_its_own_session_with_the_given_environment(tmp_path: Path):
    log = tmp_path / "logs" / "child.log"
    code = "import os; print(os.getsid(0) == os.getpid(), os.environ.get('X'))"

    child = spawn(python(code), log, {"X": "told"})

    assert wait_until(lambda: log.exists() and "True told" in log.read_text(), 10)
    assert wait_until(lambda: not is_alive(child), 10)


def test_stop_ends_a_stubborn_child_and_its_own_children(tmp_path: Path):
    log = tmp_path / "child.log"
    child = spawn(python(STUBBORN), log)
    assert wait_until(lambda: log.exists() and log.read_text().strip().isdigit(), 10)
    grandchild = int(log.read_text())

    stop(child, grace_s=0.3)

    assert not is_alive(child)
    assert wait_until(lambda: not is_alive(Child(grandchild, child.created)), 5)


def test_the_orphans_of_a_killed_child_are_stopped_too(tmp_path: Path):
    log = tmp_path / "child.log"
    child = spawn(python(STUBBORN), log)
    assert wait_until(lambda: log.exists() and log.read_text().strip().isdigit(), 10)
    grandchild = Child(int(log.read_text()), child.created)
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(child), 5)
    assert is_alive(grandchild)

    stop(child)

    assert wait_until(lambda: not is_alive(grandchild), 5)


def test_a_pid_that_was_given_away_is_neither_alive_nor_stopped():
    stale = Child(os.getpid(), psutil.Process().create_time() - 1000)

    stop(stale)

    assert not is_alive(stale)
    assert is_alive(Child(os.getpid(), psutil.Process().create_time()))


def test_output_is_bounded(tmp_path: Path):
    log = tmp_path / "child.log"
    code = "for n in range(20000): print(f'{n:09d}')"

    child = spawn(python(code), log, logs=LogBounds(max_bytes=20_000, files=2))

    assert wait_until(lambda: not is_alive(child) and "000019999" in last_words(log), 20)
    sizes = {p.name: p.stat().st_size for p in tmp_path.glob("child.log*")}
    assert set(sizes) == {"child.log", "child.log.1"}
    assert max(sizes.values()) <= 20_000 + 65_536


def test_last_words_of_a_silent_process(tmp_path: Path):
    assert last_words(tmp_path / "none.log") == "it said nothing."


def test_a_command_that_does_not_exist_leaves_nothing(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        spawn([tmp_path / "nowhere"], tmp_path / "child.log")


def test_an_interrupt_waits_for_the_end_of_the_block():
    done = []

    with pytest.raises(KeyboardInterrupt), deferred_interrupts():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")

    assert done == ["all of it"]


def test_the_second_interrupt_does_not_break_the_clean_up_of_the_first():
    done = []

    with pytest.raises(KeyboardInterrupt), one_interrupt():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            done.append("cleaned up")

    assert done == ["cleaned up"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_ports(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"Port {port} .* already in use"):
            choose_port(port)
        assert choose_port(0, last=port) != port
        assert not port_is_free(port)
    assert choose_port(0, last=port) == port


def test_a_private_file_is_replaced_whole(tmp_path: Path):
    path = tmp_path / "secret"
    path.write_text("old")

    write_private(path, "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
