"""A directory that one server process owns: its record, its password, its start and its end.

Knows who owns a directory, whether that owner lives, and how a server is started in it or joined;
knows nothing of what the server serves.
"""

import contextlib
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from filelock import FileLock, Timeout

from graphdb.errors import ServerError
from graphdb.local.processes import (
    Child,
    LogBounds,
    choose_port,
    deferred_interrupts,
    is_alive,
    last_words,
    spawn,
    stop,
    wait_until,
    write_private,
)

START_WAIT_S = 300.0


@contextlib.contextmanager
def lock_directory(root: Path, name: str, wait_s: float) -> Generator[None]:
    """Hold the lock file `name` of a directory, which is made if need be; ServerError if it can't.

    The lock falls with its holder: no stale one is left by a killed process.
    """
    lock = FileLock(root / name)
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        raise ServerError(f"Another command has been busy in {root} for {wait_s:.0f} s.") from error
    except OSError as error:
        raise ServerError(f"The directory {root} cannot be used: {error}.") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Owner:
    """The process that owns a directory, the loopback port it serves and its version."""

    pid: int
    created: float
    port: int
    version: str

    @property
    def child(self) -> Child:
        """The process to watch or stop."""
        return Child(self.pid, self.created)


class OwnedDirectory:
    """One server's directory; the owner's record and the password have mode 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def last_owner(self) -> Owner | None:
        """Whoever owned the directory last, dead or alive."""
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            return Owner(**json.loads((self.root / "owner.json").read_text("utf-8")))
        return None

    def owner(self) -> Owner | None:
        """The living owner, or None: the record of a dead process counts as none."""
        last = self.last_owner()
        return last if last and is_alive(last.child) else None

    def password(self) -> str:
        """The generated password; raises ServerError where nothing was ever started."""
        try:
            return (self.root / "password").read_text("utf-8")
        except FileNotFoundError as error:
            raise ServerError(f"No server was ever started in {self.root}.") from error

    def ensure_password(self) -> str:
        """The password, generated at the first call and kept."""
        if not (self.root / "password").exists():
            write_private(self.root / "password", secrets.token_urlsafe(24))
        return self.password()

    @contextlib.contextmanager
    def starting(self) -> Generator[None]:
        """The right to start a server here; a second process waits until the first is done."""
        with lock_directory(self.root, "start.lock", START_WAIT_S):
            yield

    def launch(
        self, begin: Callable[[], Child], port: int, version: str, ready: Callable[[Owner], None]
    ) -> Owner:
        """Begin, record and wait; whatever interrupts it, a server not yet ready is stopped."""
        owner: Owner | None = None
        try:
            with deferred_interrupts():
                child = begin()
                owner = Owner(child.pid, child.created, port, version)
                write_private(self.root / "owner.json", json.dumps(asdict(owner)))
            ready(owner)
        except BaseException:
            if owner:
                with deferred_interrupts():
                    stop(owner.child, grace_s=5.0)
            raise
        return owner

    def stop(self, grace_s: float = 20.0) -> None:
        """Stop the living owner, if there is one."""
        if owner := self.owner():
            stop(owner.child, grace_s)


class LocalServer(OwnedDirectory, ABC):
    """A server on loopback, started in its directory or joined where it runs there already.

    `port` 0 takes the last port used if it is free, else any. The password is generated once and
    kept in `directory/password`, mode 0600. `logs` is for what the process prints, to `console`.
    """

    product: ClassVar[str]
    ready_s: ClassVar[float]
    console: Path

    def __init__(self, directory: Path, version: str, port: int, logs: LogBounds) -> None:
        super().__init__(directory)
        self.version, self.port, self.logs = version, port, logs

    def start_or_join(self, configure: Callable[[int], list[str | Path]]) -> tuple[Owner, bool]:
        """The owner once it answers, and whether this call started it.

        `configure(port)` writes what the server reads and returns its command. Raises ServerError;
        an interrupted or failed start stops what it started.
        """
        with self.starting():
            self.check_data()
            if owner := self.owner():
                self._wait_ready(owner)
                return owner, False
            self.ensure_password()
            last = self.last_owner()
            port = choose_port(self.port, last.port if last else 0)
            command = configure(port)

            def begin() -> Child:
                return spawn(command, self.console, logs=self.logs)

            return self.launch(begin, port, self.version, self._wait_ready), True

    def check_data(self) -> None:
        """Raise where what lies in the directory is not for this server."""

    @abstractmethod
    def answers(self, owner: Owner) -> bool:
        """Whether the server says that it is ready; raises ServerError where it never will."""

    def _wait_ready(self, owner: Owner) -> None:
        if not wait_until(lambda: self._is_ready(owner), self.ready_s, pause_s=0.1):
            raise ServerError(f"{self._name(owner)} did not answer within {self.ready_s:.0f} s.")

    def _is_ready(self, owner: Owner) -> bool:
        if not is_alive(owner.child):
            words = last_words(self.console)
            raise ServerError(f"{self._name(owner)} ended while starting: {words}")
        return self.answers(owner)

    def _name(self, owner: Owner) -> str:
        return f"{self.product} {owner.version}".strip()
