"""What is known of a stack's processes: the record in `home/stack.json`, and `status`.

Knows pids and addresses, never passwords; starts and stops nothing.
"""

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.ownership import OwnedDirectory
from graphdb.processes import Child, is_alive, write_private


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
    """`stack.json` (mode 0600): the parts in their order of start, written at every change."""

    path: Path
    parts: dict[str, Record] = field(default_factory=dict)
    told: str = ""
    last_api_port: int = 0

    @classmethod
    def read(cls, root: Path) -> "StackState":
        """The record in a home; an absent or damaged one is an empty one."""
        state = cls(root / "stack.json")
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            kept = json.loads(state.path.read_text("utf-8"))
            parts = {name: Record(**row) for name, row in kept["parts"].items()}
            return cls(state.path, parts, kept["told"], kept["last_api_port"])
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

    def _write(self) -> None:
        parts = {name: asdict(record) for name, record in self.parts.items()}
        kept = {"parts": parts, "told": self.told, "last_api_port": self.last_api_port}
        write_private(self.path, json.dumps(kept, indent=1))


@dataclass(frozen=True)
class PartStatus:
    """One row of `status`: memory is resident bytes of the process and its children."""

    part: str
    state: str
    address: str = ""
    pid: int | None = None
    memory: int | None = None
    since: str | None = None


def status(
    settings: Settings,
    neo4j: Neo4jSettings,
    names: tuple[str, ...] = ("neo4j", "redis", "api", "worker", "beat"),
) -> list[PartStatus]:
    """A row a part: `running`, `stopped`, `died` (its record stands) or `external`."""
    external = {"neo4j": neo4j.uri, "redis": settings.redis_url.get_secret_value()}
    records = StackState.read(settings.root).parts
    for name in ("neo4j", "redis"):
        owner = OwnedDirectory(settings.root / name).owner()
        if owner and name not in records:
            scheme = "bolt" if name == "neo4j" else name
            records[name] = Record.of(owner.child, f"{scheme}://127.0.0.1:{owner.port}")
    return [_row(name, records.get(name), external.get(name, "")) for name in names]


def _row(name: str, record: Record | None, external: str) -> PartStatus:
    if external:
        return PartStatus(name, "external", external.rpartition("@")[2])
    if record is None:
        return PartStatus(name, "stopped")
    if not is_alive(record.child):
        return PartStatus(name, "died", record.address)
    since = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
    memory = resident_bytes(record.pid)
    return PartStatus(name, "running", record.address, record.pid, memory, since)


def resident_bytes(pid: int) -> int:
    """Resident memory of a process and all its descendants, in bytes; 0 if it is gone."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


def _digest(told: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
