"""The one door to Neo4j: an address, a driver, reads and writes.

It knows the driver and nothing of what is asked. Callers get plain rows (dicts), never driver
objects; which server answers is decided by the address alone.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Self, TypeVar
from urllib.parse import urlsplit

from neo4j import (
    READ_ACCESS,
    Driver,
    GraphDatabase,
    ManagedTransaction,
    NotificationMinimumSeverity,
    Query,
    RoutingControl,
    Session,
    unit_of_work,
)
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConnectionAcquisitionTimeoutError,
    ResultFailedError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from graphdb.errors import GraphUnavailableError, IndexLostError, PathlightError

T = TypeVar("T")

UNAVAILABLE = (
    ServiceUnavailable,
    SessionExpired,
    TransientError,
    ConnectionAcquisitionTimeoutError,
)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}

logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Neo4jSettings(BaseSettings):
    """Where the graph is. Without a `uri` the local stack's server is used."""

    model_config = SettingsConfigDict(env_prefix="PATHLIGHT_NEO4J_")

    uri: str = ""
    user: str = "neo4j"
    password: SecretStr = SecretStr("")
    database: str = "neo4j"

    def environment(self) -> dict[str, str]:
        """These settings as the variables that a child process reads them from."""
        values = {**self.model_dump(), "password": self.password.get_secret_value()}
        return {f"PATHLIGHT_NEO4J_{name.upper()}": str(value) for name, value in values.items()}


@dataclass(frozen=True)
class Patience:
    """How long a process waits for the graph, in seconds, and how many connections it keeps.

    The driver's own defaults fail only after 56 s against a server that refuses.
    """

    pool: int
    acquisition: float
    connect: float
    retry: float
    query: float


SERVING = Patience(pool=50, acquisition=0.5, connect=1, retry=0.5, query=1.5)
WRITING = Patience(pool=20, acquisition=2, connect=1, retry=1, query=30)
READING = Patience(pool=100, acquisition=5, connect=2, retry=5, query=30)
WORKING = Patience(pool=8, acquisition=60, connect=10, retry=30, query=600)

DELETIONS = 10
"""Attempts at a write whose nodes others delete meanwhile; Neo4j does not count it as transient."""

INDEX_LOST = {"ProcedureCallFailed", "IndexNotFound", "PropertyNotFound"}
"""What vector indexes answer that are not there, or not as they were: of procedures a statement
calls theirs alone, and properties are named to no others."""

RETRY_S = 0.2
"""Between two attempts at a schema statement."""

WRITE_S = 30.0
"""Seconds at most for one write: what a frozen process has locked is free again by then."""


class Graph:
    """One driver on one database; thread-safe, made in the process that uses it."""

    def __init__(
        self,
        uri: str,
        password: str,
        *,
        user: str = "neo4j",
        database: str = "neo4j",
        patience: Patience = WORKING,
    ) -> None:
        if urlsplit(uri).scheme.partition("+")[0] not in {"bolt", "neo4j"}:
            raise PathlightError(
                "PATHLIGHT_NEO4J_URI is not a Neo4j address: expected bolt:// or neo4j://"
            )
        if not password and (urlsplit(uri).hostname or "") not in LOOPBACK:
            raise PathlightError(
                "PATHLIGHT_NEO4J_URI names a remote server: set PATHLIGHT_NEO4J_PASSWORD as well"
            )
        self.database = database
        self.patience = patience
        try:
            self._driver: Driver = GraphDatabase.driver(
                uri,
                auth=(user, password) if password else None,
                max_connection_pool_size=patience.pool,
                connection_acquisition_timeout=patience.acquisition,
                connection_timeout=patience.connect,
                max_transaction_retry_time=patience.retry,
                liveness_check_timeout=30,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
                telemetry_disabled=True,
            )
        except (ConfigurationError, ValueError) as error:
            raise PathlightError(f"PATHLIGHT_NEO4J_URI is not a Neo4j address: {error}") from None

    @classmethod
    def from_settings(cls, settings: Neo4jSettings, patience: Patience = WORKING) -> Self:
        return cls(
            settings.uri,
            settings.password.get_secret_value(),
            user=settings.user,
            database=settings.database,
            patience=patience,
        )

    def read(self, statement: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a read. Raises GraphUnavailableError when no answer came in time."""
        return self._run(statement, RoutingControl.READ, parameters, self.patience.query)

    def write(self, statement: LiteralString, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a write that may safely run twice: a lost connection has it retried."""
        timeout = min(WRITE_S, self.patience.query)
        return self._run(statement, RoutingControl.WRITE, parameters, timeout)

    def define(self, statement: LiteralString, **parameters: Any) -> None:
        """Run a schema statement that may safely run twice.

        The server begins and ends its transaction by itself: one that a frozen process has left
        open would hold the schema's locks for ever, as its timeout does not free those.
        """
        query = Query(statement, timeout=min(WRITE_S, self.patience.query))
        end = time.monotonic() + self.patience.retry
        while True:
            try:
                with self._driver.session(database=self.database) as session, _one_sentence():
                    session.run(query, parameters).consume()
                return
            except GraphUnavailableError:
                if time.monotonic() > end:
                    raise
                time.sleep(RETRY_S)

    def transaction(self, work: Callable[[ManagedTransaction], T]) -> T:
        """Run `work` in one write transaction, retried as a whole on transient errors, and when
        another deleted what it had just found."""
        with self._driver.session(database=self.database) as session, _one_sentence():
            for _ in range(DELETIONS):
                try:
                    return session.execute_write(unit_of_work(timeout=WRITE_S)(work))
                except ResultFailedError:
                    continue  # what came back last hides why the transaction failed
                except ClientError as error:
                    if error.code != "Neo.ClientError.Statement.EntityNotFound":
                        raise
            raise GraphUnavailableError("others kept deleting what was to be written")

    def stream(self, statement: LiteralString, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Rows of a long read, fetched as they are consumed; no retry once begun."""
        with (
            self._driver.session(
                database=self.database, default_access_mode=READ_ACCESS, fetch_size=2000
            ) as session,
            _one_sentence(),
        ):
            for record in session.run(Query(statement, timeout=self.patience.query), parameters):
                yield dict(record)

    def plan_type(self, statement: str, parameters: dict[str, Any], timeout: float) -> str:
        """The server's own verdict on a person's statement: "r" for a pure read."""
        with self._exploring() as session:
            summary = session.run(_foreign("EXPLAIN " + statement, timeout), parameters).consume()
            return summary.query_type or ""

    def explore(
        self, statement: str, parameters: dict[str, Any], timeout: float, limit: int
    ) -> tuple[list[str], list[list[Any]]]:
        """Column names and at most `limit` rows of a person's statement, in READ mode."""
        with self._exploring() as session:
            result = session.run(_foreign(statement, timeout), parameters)
            return list(result.keys()), [list(record.values()) for record in result.fetch(limit)]

    def verify(self) -> None:
        """Raise GraphUnavailableError unless the server answers."""
        with _one_sentence():
            self._driver.verify_connectivity()

    def close(self) -> None:
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _exploring(self) -> Generator[Session]:
        with (
            self._driver.session(
                database=self.database, default_access_mode=READ_ACCESS
            ) as session,
            _one_sentence(),
        ):
            yield session

    def _run(
        self,
        statement: LiteralString,
        routing: RoutingControl,
        parameters: dict[str, Any],
        timeout: float,
    ) -> list[dict[str, Any]]:
        with _one_sentence():
            try:
                records = self._driver.execute_query(
                    Query(statement, timeout=timeout),
                    parameters,
                    database_=self.database,
                    routing_=routing,
                ).records
            except ClientError as error:
                if (error.code or "").rpartition(".")[2] in INDEX_LOST:
                    said = str(error.message).partition("\n")[0]
                    raise IndexLostError(f"an index does not answer: {said}") from error
                if "TransactionTimedOut" not in (error.code or ""):
                    raise
                raise GraphUnavailableError(
                    f"the graph did not answer within {timeout:g} s"
                ) from error
        return [dict(record) for record in records]


@contextmanager
def _one_sentence() -> Generator[None]:
    """The driver's "not now" as GraphUnavailableError; a refused log-in as a sentence."""
    try:
        yield
    except AuthError:
        raise PathlightError(
            "Neo4j refused the log-in: PATHLIGHT_NEO4J_USER and PATHLIGHT_NEO4J_PASSWORD"
            " must be that server's"
        ) from None
    except UNAVAILABLE as error:
        raise GraphUnavailableError(f"the graph did not answer: {type(error).__name__}") from error


def _foreign(statement: str, timeout: float) -> Query:
    # The one text that is no literal: a person's own, let through by graphdb.exploration alone.
    return Query(statement, timeout=timeout)  # ty: ignore[invalid-argument-type]
