"""One `up` under way: what it finds running, what it starts, and how it takes that back.

Knows the order of the parts and what each is told. It runs under the stack's lock, which the caller
holds, and with interrupts that come once.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from api.local.parts import PACKAGES, Part, Place
from api.local.redis_server import LocalRedis, redis_uri
from api.local.stack_state import Record, StackState
from api.settings import Settings
from graphdb.connection import Graph, Neo4jSettings
from graphdb.errors import ServerError
from graphdb.local.ownership import OwnedDirectory
from graphdb.local.processes import (
    LOOPBACK,
    choose_port,
    deferred_interrupts,
    is_alive,
    last_words,
    spawn,
    stop,
    wait_until,
)
from graphdb.local.server import LocalNeo4j, bolt_uri

StackProgress = Callable[[str, int, int], None]

READY_S = 90.0
SERVERS = ("neo4j", "redis")


@dataclass(frozen=True)
class Stack:
    """A running stack: its addresses, and which parts the call that returned it started.

    `env` is the environment for a child of one's own: every setting and address by its name.
    """

    settings: Settings
    neo4j: Neo4jSettings
    redis_url: str = field(repr=False)
    api_url: str
    env: dict[str, str] = field(repr=False)
    started: tuple[str, ...] = ()


class Launch:
    """Brings a stack up, part by part; `undo` stops exactly what this launch has started."""

    def __init__(
        self, settings: Settings, neo4j: Neo4jSettings, progress: StackProgress | None = None
    ) -> None:
        self.settings, self.neo4j = settings, neo4j
        self.progress = progress or (lambda step, done, total: None)
        self.root = settings.root
        self.state = StackState.read(self.root)
        self.servers = {name: OwnedDirectory(self.root / name) for name in SERVERS}
        self.found = {name: server.owner() for name, server in self.servers.items()}
        self.joined: set[str] = set()
        self.started: dict[str, Record] = {}

    def run(self, parts: Sequence[Part]) -> Stack:
        """Start or join the servers, then the parts; returns when all of them answer."""
        neo4j, redis_url = self._graph(), self._redis()
        place = self._place(neo4j, redis_url)
        self._drop_misled(place)
        starts = [(part, self._spawn(part, place), time.time()) for part in self._missing(parts)]
        for part, record, since in starts:
            self._await(part, place, record, since)
        started = tuple(self.started)
        return Stack(self.settings, neo4j, redis_url, place.api_url, place.env, started)

    def undo(self) -> None:
        """Stop what this launch started, last first; what it joined stays."""
        with deferred_interrupts():
            state = StackState.read(self.root)
            for name, record in self._own()[::-1]:
                stop(record.child, record.grace_s)
                if state.parts.get(name) == record:
                    state.drop(name)

    def _own(self) -> list[tuple[str, Record]]:
        """What was started, with a server whose start was interrupted before it was noted."""
        noted = list(self.started.items())
        owners = {name: self.servers[name].owner() for name in SERVERS}
        fresh = [
            (name, Record.of(owner.child))
            for name, owner in owners.items()
            if owner and owner != self.found[name] and name not in self.joined | set(self.started)
        ]
        return fresh + noted

    def _graph(self) -> Neo4jSettings:
        if self.neo4j.uri:
            with Graph.from_settings(self.neo4j) as graph:
                graph.verify()
            return self.neo4j
        settings = self.settings
        server = LocalNeo4j(
            self.root / "neo4j",
            settings.neo4j_version,
            port=settings.neo4j_port,
            logs=settings.log_bounds,
        )
        self.progress("neo4j", 0, 1)
        owner, started = server.start(lambda done, total: self.progress("jars", done, total))
        self._note("neo4j", Record.of(owner.child, bolt_uri(owner.port)), started)
        return local_neo4j(owner.port, server.password())

    def _redis(self) -> str:
        if given := self.settings.redis_url.get_secret_value():
            _verify_redis(given)
            return given
        settings = self.settings
        server = LocalRedis(self.root / "redis", port=settings.redis_port, logs=settings.log_bounds)
        self.progress("redis", 0, 1)
        owner, started = server.start()
        self._note("redis", Record.of(owner.child, f"redis://{LOOPBACK}:{owner.port}"), started)
        return redis_uri(owner.port, server.password())

    def _note(self, name: str, record: Record, started: bool) -> None:
        with deferred_interrupts():
            self.state.keep(name, record)
            if started:
                self.started[name] = record
            else:
                self.joined.add(name)
        self.progress(name, 1, 1)

    def _place(self, neo4j: Neo4jSettings, redis_url: str) -> Place:
        port = self._api_port()
        env = environment(self.settings, neo4j, redis_url, port)
        return Place(self.root, self.settings.api_host, port, redis_url, env)

    def _api_port(self) -> int:
        wanted, api = self.settings.api_port, self.state.parts.get("api")
        if not api or not is_alive(api.child):
            return choose_port(wanted, self.state.last_api_port)
        if wanted not in {0, api.port}:
            raise ServerError(
                f"The stack in {self.root} already serves on port {api.port}, not {wanted}: "
                "stop it first."
            )
        return api.port

    def _drop_misled(self, place: Place) -> None:
        """Stop parts that were told other addresses than those of now."""
        told = {name: place.env[name] for name in ("PATHLIGHT_NEO4J_URI", "PATHLIGHT_REDIS_URL")}
        if self.state.differs(told):
            for name in [name for name in reversed(self.state.parts) if name not in SERVERS]:
                stop(self.state.parts[name].child, self.state.parts[name].grace_s)
                self.state.drop(name)
        self.state.tell(told)

    def _missing(self, parts: Sequence[Part]) -> list[Part]:
        records = self.state.parts
        return [p for p in parts if p.name not in records or not is_alive(records[p.name].child)]

    def _spawn(self, part: Part, place: Place) -> Record:
        if dead := self.state.parts.get(part.name):
            stop(dead.child)  # its orphans, such as the pool of a killed worker
        self.progress(part.name, 0, 1)
        address = place.api_url if part.name == "api" else ""
        with deferred_interrupts():
            child = spawn(part.command(place), self._log(part), place.env, self.settings.log_bounds)
            record = Record.of(child, address, part.grace_s)
            self.started[part.name] = record
            self.state.keep(part.name, record)
        return record

    def _await(self, part: Part, place: Place, record: Record, since: float) -> None:
        ready = wait_until(
            lambda: not is_alive(record.child) or part.ready(place, since), READY_S, pause_s=0.1
        )
        if not is_alive(record.child):
            log = self._log(part)
            raise ServerError(f"The {part.name} ended while starting: {last_words(log)} ({log})")
        if not ready:
            raise ServerError(
                f"The {part.name} was not ready in {READY_S:.0f} s; see {self._log(part)}."
            )
        self.progress(part.name, 1, 1)

    def _log(self, part: Part) -> Path:
        return self.root / "logs" / f"{part.name}.log"


def local_neo4j(port: int, password: str) -> Neo4jSettings:
    """The address of the local server, as the settings that would name it."""
    return Neo4jSettings(
        uri=bolt_uri(port), user="neo4j", password=SecretStr(password), database="neo4j"
    )


def environment(
    settings: Settings, neo4j: Neo4jSettings, redis_url: str, api_port: int
) -> dict[str, str]:
    """A child's environment: this one's, with every setting and address under its own name."""
    values = {name: str(value) for name, value in settings.model_dump(mode="json").items()}
    values |= {"home": str(settings.root), "api_port": str(api_port), "redis_url": redis_url}
    values["api_key"] = ""  # who asks has one, nobody who serves needs it
    ours = {f"PATHLIGHT_{name.upper()}": value for name, value in values.items()}
    ours |= neo4j.environment()
    path = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **ours, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}


def _verify_redis(url: str) -> None:
    try:
        with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise ServerError(f"PATHLIGHT_REDIS_URL does not answer: {error}.") from error
