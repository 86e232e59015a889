"""Local child processes: started in a session of their own, recognised again, stopped for good.

Knows pids, sessions, ports, private files and bounded logs; knows nothing of what it runs.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from graphdb.errors import ServerError

LOOPBACK = "127.0.0.1"
INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Ours to reap; the exit status of another's child is not ours to take.
_spawned: set[int] = set()
# Start times are derived from the wall clock, which may be set while a child runs.
CREATED_TOLERANCE_S = 60


@dataclass(frozen=True)
class LogBounds:
    """How much of what a process prints is kept: `files` files of `max_bytes` each."""

    max_bytes: int = 5_000_000
    files: int = 3


DEFAULT_BOUNDS = LogBounds()


@dataclass(frozen=True)
class Child:
    """A process and when it was created (seconds since 1970), so that a reused pid is noticed."""

    pid: int
    created: float


def spawn(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    logs: LogBounds = DEFAULT_BOUNDS,
) -> Child:
    """Start a command in its own session, its output in a bounded log; raises FileNotFoundError.

    A Ctrl-C in the terminal does not reach it. Call it inside `deferred_interrupts()` together with
    the writing down of what it returns, or an interrupt in between leaves an unknown child.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    reader, writer = os.pipe()
    try:
        pump = Path(__file__).with_name("log_pump.py")
        arguments = ["-I", "-S", str(pump), str(log), str(logs.max_bytes), str(logs.files)]
        os.waitpid(_start([sys.executable, *arguments], os.environ, stdin=reader), 0)
        environment = os.environ if env is None else env
        pid = _start([str(part) for part in command], environment, output=writer)
    finally:
        os.close(reader)
        os.close(writer)
    _spawned.add(pid)
    return Child(pid, _created(pid))


def _start(command: list[str], env: Mapping[str, str], stdin: int = -1, output: int = -1) -> int:
    null = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    actions = [null if stdin < 0 else (os.POSIX_SPAWN_DUP2, stdin, 0)]
    for fd in (1, 2):
        discard = (os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0)
        actions.append(discard if output < 0 else (os.POSIX_SPAWN_DUP2, output, fd))
    return os.posix_spawnp(
        command[0],
        command,
        env,
        file_actions=actions,
        setsid=True,
        setsigdef=[*INTERRUPTS, signal.SIGPIPE],
    )


def _created(pid: int) -> float:
    # A child that is gone already was created a moment ago: its record will be found stale.
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def this_process() -> Child:
    """The process that asks."""
    return Child(os.getpid(), psutil.Process().create_time())


def is_alive(child: Child) -> bool:
    """Whether that very process still runs (a zombie does not, nor another with its pid)."""
    if child.pid in _spawned:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child.pid, os.WNOHANG)
    try:
        process = psutil.Process(child.pid)
        if abs(process.create_time() - child.created) > CREATED_TOLERANCE_S:
            return False
        # A JVM's first thread is a zombie while the others still hold its files and ports.
        return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    except psutil.NoSuchProcess:
        return False


def stop(child: Child, grace_s: float = 20.0) -> None:
    """SIGTERM to the process, SIGKILL to its whole session after `grace_s`; waits for its end."""
    if is_alive(child):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGTERM)
        wait_until(lambda: not is_alive(child), grace_s)
    _kill_session(child)
    wait_until(lambda: not is_alive(child), 10.0)


def _kill_session(child: Child) -> None:
    # The pid of a dead leader is not given away while its group lives, except after a reboot.
    reused = psutil.pid_exists(child.pid) and not is_alive(child)
    if not reused and psutil.boot_time() < child.created:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)


def wait_until(condition: Callable[[], bool], timeout_s: float, pause_s: float = 0.05) -> bool:
    """Poll `condition()` until it is true or the time is over; returns whether it became true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True


@contextlib.contextmanager
def deferred_interrupts() -> Generator[None]:
    """Hold back Ctrl-C and SIGTERM until the block is done, then deliver what came."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = _replace_handlers(lambda signum, frame: came.append(signum))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


@contextlib.contextmanager
def one_interrupt() -> Generator[None]:
    """The first Ctrl-C, SIGTERM or SIGHUP raises KeyboardInterrupt; later ones wait for the end.

    So a second Ctrl-C does not break the clean-up that the first one began.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def interrupt(signum: int, frame: object) -> None:
        came.append(signum)
        if len(came) == 1:
            raise KeyboardInterrupt

    before = _replace_handlers(interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _replace_handlers(handler: Callable[[int, object], None]) -> dict:
    # What the caller ignores (nohup, a shell's background job) stays ignored.
    ours = [n for n in INTERRUPTS if signal.getsignal(n) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in ours}


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int, last: int = 0) -> int:
    """The port asked for (ServerError if in use), else the last one if free, else any free one."""
    if wanted:
        if not port_is_free(wanted):
            raise ServerError(f"Port {wanted} on {LOOPBACK} is already in use; 0 takes a free one.")
        return wanted
    if last and port_is_free(last):
        return last
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def last_words(log: Path) -> str:
    """The last lines of a log, for the sentence that says why a process ended."""
    time.sleep(0.2)  # the pump that writes the log may be a moment behind
    with contextlib.suppress(FileNotFoundError):
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()
        return " | ".join(line.strip() for line in lines[-3:]) or "it said nothing."
    return "it said nothing."


def write_private(path: Path, text: str) -> None:
    """Write a file that only its user can read (mode 0600), whole or not at all."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    staged.unlink(missing_ok=True)
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
