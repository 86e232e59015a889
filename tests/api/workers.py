"""Real Celery processes on the run's servers; each a group that a test may kill or freeze."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from api.local.launch import environment
from api.local.parts import BEAT, WORKER, Part, Place, worker_answers
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.local.processes import Child, spawn, stop, wait_until

READY_S = 90.0


@dataclass
class Workers:
    """Workers and a scheduler of one home; `close` ends whatever the test has left."""

    settings: Settings
    neo4j: Neo4jSettings
    redis_url: str
    started: list[Child] = field(default_factory=list)

    @property
    def place(self) -> Place:
        env = environment(self.settings, self.neo4j, self.redis_url, 0)
        return Place(self.settings.root, "127.0.0.1", 0, self.redis_url, env)

    def worker(self) -> Child:
        """Start a worker and wait until it takes tasks."""
        child = self._start(WORKER)
        assert wait_until(lambda: worker_answers(self.place, 0), READY_S), self.log("worker")
        return child

    def beat(self) -> Child:
        """Start the scheduler; its first sweep comes a moment later."""
        return self._start(BEAT)

    def log(self, name: str) -> str:
        return self._log(name).read_text(errors="replace")

    def close(self) -> None:
        for child in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGCONT)
            stop(child, grace_s=0)

    def _start(self, part: Part) -> Child:
        child = spawn(part.command(self.place), self._log(part.name), self.place.env)
        self.started.append(child)
        return child

    def _log(self, name: str) -> Path:
        return self.settings.root / "logs" / f"{name}.log"


def training_processes(group: int) -> list[psutil.Process]:
    """The processes of a group (a session's leader is its pid) that train."""
    return [p for p in _processes() if _is_training(p) and _group(p) == group]


def _is_training(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return "-m" in words and words[words.index("-m") + 1] == "training"
    return False


def _group(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return 0


def _processes() -> Iterator[psutil.Process]:
    yield from psutil.process_iter()
