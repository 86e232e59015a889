"""What serves, kept in this process's memory, and the choice between graph and memory.

One answer reads one version throughout. It knows neither how candidates are found nor HTTP.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from api.answer import NothingPublishedError
from api.breaker import GraphBreaker
from api.mapped import MappedVersion, map_version
from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError
from graphdb.retrieval import fetch_hidden
from graphdb.versions import fetch_serving
from training.artifact import ArtifactError

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 3
HIDDEN_S = 10.0
"""Seconds after which an item that was hidden is in no answer from memory either."""
UNREADABLE_S = 5.0
"""Seconds until an artifact that could not be read is tried again."""


class UnmappedError(Exception):
    """Another version serves than the one in memory."""

    def __init__(self, version: str, slot: str) -> None:
        super().__init__(version)
        self.version, self.slot = version, slot


class Serving:
    """The version that serves and the one before it, and a breaker before the graph."""

    def __init__(self, graph: Graph, artifacts: Path, breaker: GraphBreaker) -> None:
        self.graph, self.breaker, self._artifacts = graph, breaker, artifacts
        self.version: MappedVersion | None = None
        self._before: MappedVersion | None = None
        self._loading = threading.Lock()
        self._hidden_at = 0.0
        self._unreadable: tuple[str, str, float] = ("", "", 0.0)

    def answer(
        self,
        online: Callable[P, T],
        offline: Callable[Concatenate[MappedVersion, str, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`online`'s answer or, when something is missing, `offline`'s from memory.

        `online` raises UnmappedError when another version serves. `offline` is told what is
        missing: "graph" when it does not answer, "artifact" when the files of what serves cannot
        be read. Raises NothingPublishedError, or ArtifactError, when nothing is in memory either.
        """
        try:
            return self._online(online, *args, **kwargs)
        except GraphUnavailableError:
            missing = "graph"
            if self.version is None:
                raise NothingPublishedError(
                    "the graph does not answer and no published version is in memory"
                ) from None
        except ArtifactError:
            missing = "artifact"
            if self.version is None:
                raise
        return offline(self.version, missing, *args, **kwargs)

    def _online(self, online: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(ATTEMPTS):
            try:
                return self.breaker.call(online, *args, **kwargs)
            except UnmappedError as unmapped:
                # Loading takes as long as it takes: it is not under an answer's deadline.
                self._map(unmapped.version, unmapped.slot)
        raise GraphUnavailableError("what serves changed faster than it could be read")

    def refresh(self) -> None:
        """Map what serves now if this process has not, and note what was hidden since."""
        serving = self.breaker.watch(lambda: fetch_serving(self.graph))
        if serving is not None:
            self._map(serving["id"], serving["slot"])
            if time.monotonic() - self._hidden_at > HIDDEN_S:
                self._note_hidden()

    def _note_hidden(self) -> None:
        hidden = self.breaker.call(fetch_hidden, self.graph)
        with self._loading:
            if self.version is not None:
                self.version = replace(self.version, hidden=hidden)
            self._hidden_at = time.monotonic()

    def _map(self, version: str, slot: str) -> None:
        """Make `version` the mapped one. The one before is kept: a rollback costs nothing."""
        with self._loading:
            current = self.version
            if current is not None and current.id == version:
                return
            kept = self._before
            if kept is None or kept.id != version:
                kept = self._read(version, slot)
                log.info("version %s is mapped", version)
            self._before, self.version = current, kept
            self._hidden_at = 0.0

    def _read(self, version: str, slot: str) -> MappedVersion:
        unreadable, why, until = self._unreadable
        if unreadable == version and time.monotonic() < until:
            raise ArtifactError(why)
        try:
            return map_version(self.graph, version, slot, self._artifacts)
        except (ArtifactError, OSError) as error:
            self._unreadable = (version, str(error), time.monotonic() + UNREADABLE_S)
            raise ArtifactError(f"version {version} cannot be read: {error}") from error
