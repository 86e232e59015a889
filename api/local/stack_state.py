"""What is known of a stack: the record in `home/stack.json` of its parts and of who uses them.

Knows pids and addresses, never passwords; starts and stops nothing. Written under the stack's lock.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from graphdb.local.processes import Child, is_alive, write_private


@dataclass(frozen=True)
class Record:
    """One process of the stack; `address` is empty where it serves none."""

    pid: int
    created: float
    address: str = ""
    grace_s: float = 20.0

    @classmethod
    def of(cls, child: Child, address: str = "", grace_s: float = 20.0) -> "Record":
        """The record of a process that was just started or found."""
        return cls(child.pid, child.created, address, grace_s)

    @property
    def child(self) -> Child:
        """The process to watch or stop."""
        return Child(self.pid, self.created)

    @property
    def port(self) -> int:
        """The port in the address, 0 without one."""
        return int(self.address.rpartition(":")[2]) if self.address else 0


@dataclass
class StackState:
    """`stack.json` (mode 0600): the parts in their order of start, written at every change.

    `kept`: an `up` wants the stack to stay; else it ends with the last of its `users`, commands
    that need it for a while.
    """

    path: Path
    parts: dict[str, Record] = field(default_factory=dict)
    told: str = ""
    last_api_port: int = 0
    kept: bool = False
    users: list[Child] = field(default_factory=list)

    @classmethod
    def read(cls, root: Path) -> "StackState":
        """The record in a home; an absent or damaged one is an empty one."""
        state = cls(root / "stack.json")
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            kept = json.loads(state.path.read_text("utf-8"))
            parts = {name: Record(**row) for name, row in kept["parts"].items()}
            users = [Child(**row) for row in kept["users"]]
            return cls(state.path, parts, kept["told"], kept["last_api_port"], kept["kept"], users)
        return state

    def keep(self, name: str, record: Record) -> None:
        """Record a part, in place if it was there before."""
        self.parts[name] = record
        if name == "api":
            self.last_api_port = record.port
        self._write()

    def drop(self, name: str) -> None:
        """Forget a part."""
        if self.parts.pop(name, None):
            self._write()

    def differs(self, told: dict[str, str]) -> bool:
        """Whether the parts were told other addresses than these."""
        return self.told not in {"", _digest(told)}

    def tell(self, told: dict[str, str]) -> None:
        """Record, as a hash, the addresses that parts are told from now on."""
        self.told = _digest(told)
        self._write()

    def keep_up(self, kept: bool) -> None:
        """Whether the stack outlives the commands that use it."""
        self.kept = kept
        self._write()

    def add_user(self, user: Child) -> None:
        """Note a command that needs the stack for a while."""
        self.users.append(user)
        self._write()

    def remove_user(self, user: Child) -> None:
        """Forget that command, and those that ended without a word."""
        self.users.remove(user)
        self.users = [other for other in self.users if is_alive(other)]
        self._write()

    def _write(self) -> None:
        parts = {name: asdict(record) for name, record in self.parts.items()}
        kept = {**asdict(self), "parts": parts}
        del kept["path"]
        write_private(self.path, json.dumps(kept, indent=1))


def _digest(told: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
