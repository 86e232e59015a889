"""A directory that one server process owns: its record, its password, its start and its end.

Knows who owns a directory and whether that owner lives; knows nothing of what the server serves.
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from graphdb.errors import ServerError
from graphdb.local.processes import Child, deferred_interrupts, is_alive, stop, write_private

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
        self, spawn: Callable[[], Child], port: int, version: str, ready: Callable[[Owner], None]
    ) -> Owner:
        """Spawn, record and wait; whatever interrupts it, a server not yet ready is stopped."""
        owner: Owner | None = None
        try:
            with deferred_interrupts():
                child = spawn()
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
