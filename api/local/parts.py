"""The Python processes of the local stack: how each is started and when it is ready.

One row of PARTS a process. Knows commands and readiness; knows nothing of who starts them, in which
order they stop, or where their records are kept.
"""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from api.settings import redis_database

PACKAGES = Path(__file__).parents[1]


@dataclass(frozen=True)
class Place:
    """Where a part runs: the stack's home, the API's host and port, Redis, its environment."""

    home: Path
    host: str
    port: int
    redis_url: str
    env: dict[str, str]

    @property
    def api_url(self) -> str:
        """The API's address as a client on this machine writes it."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        return f"http://{host}:{self.port}"

    @property
    def node(self) -> str:
        """A name for this stack's Celery worker that no other stack on the same broker has."""
        return f"pathlight@{hashlib.sha256(str(self.home).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Part:
    """One process: `arguments` follow `python -m`, with the fields of Place in braces.

    `ready(place, since)` tells whether the process started at `since` (seconds since 1970) serves.
    """

    name: str
    arguments: tuple[str, ...]
    ready: Callable[[Place, float], bool]
    grace_s: float = 10.0

    def command(self, place: Place) -> list[str]:
        """The whole command line; `-P` keeps a folder named `api` elsewhere from being imported."""
        words = {"home": place.home, "host": place.host, "port": place.port, "node": place.node}
        return [sys.executable, "-P", "-m", *(word.format(**words) for word in self.arguments)]


def api_answers(place: Place, since: float) -> bool:
    """Whether the API can do its work: a freshly started graph is slow to its first questions."""
    try:
        return httpx.get(f"{place.api_url}/health/ready", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def worker_answers(place: Place, since: float) -> bool:
    """Whether this stack's worker answers a ping over the broker."""
    from celery import Celery
    from kombu.exceptions import OperationalError

    app = Celery(broker=redis_database(place.redis_url, 1), set_as_current=False)
    try:
        return bool(app.control.ping(destination=[place.node], timeout=1.0))
    except OperationalError:
        return False
    finally:
        app.close()


def consumer_reads(place: Place, since: float) -> bool:
    """Whether this stack's consumer has announced itself in the stream since it was started."""
    from ingest.stream.stream import EventStream, StreamUnavailableError

    stream = EventStream(redis_database(place.redis_url, 0))
    try:
        names = [name.split(":") for name in stream.readers()]
    except StreamUnavailableError:
        return False
    finally:
        stream.close()
    return any(name == place.node and float(at) > since - 1 for name, _, at in names)


def beat_writes(place: Place, since: float) -> bool:
    """Whether beat has written its schedule since it was started."""
    files = place.home.glob("schedule*")
    return any(file.stat().st_mtime >= since - 0.1 for file in files)


API = Part(
    "api",
    (
        *("uvicorn", "--factory", "api.app:create_app", "--host", "{host}", "--port", "{port}"),
        *("--no-access-log", "--timeout-graceful-shutdown", "5"),
    ),
    api_answers,
)
CONSUMER = Part("consumer", ("api.consumer", "--name", "{node}"), consumer_reads, grace_s=40.0)
WORKER = Part(
    "worker",
    (
        *("celery", "-A", "api.worker", "worker", "--queues", "pathlight,training"),
        *("--hostname", "{node}", "--concurrency", "2", "--loglevel", "INFO"),
    ),
    worker_answers,
)
BEAT = Part(
    "beat",
    (
        *("celery", "-A", "api.worker", "beat", "--schedule", "{home}/schedule"),
        *("--pidfile", "", "--loglevel", "INFO"),
    ),
    beat_writes,
)
PARTS = (CONSUMER, API, WORKER, BEAT)
