"""What serves, kept in this process's memory, and the choice between graph and memory.

One answer reads one version throughout. It knows neither how candidates are found nor HTTP.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from api.answer import NothingPublishedError
from api.breaker import GraphBreaker
from api.mapped import MappedVersion, map_version
from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError
from graphdb.versions import fetch_serving

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 3


class UnmappedError(Exception):
    """Another version serves than the one in memory."""

    def __init__(self, version: str, slot: str) -> None:
        super().__init__(version)
        self.version, self.slot = version, slot


class Serving:
    """The version that serves and the one before it, and a breaker before the graph."""

    def __init__(self, graph: Graph, artifacts: Path, breaker: GraphBreaker) -> None:
        self.graph, self._artifacts, self._breaker = graph, artifacts, breaker
        self.version: MappedVersion | None = None
        self._before: MappedVersion | None = None
        self._loading = threading.Lock()

    def answer(
        self,
        online: Callable[P, T],
        offline: Callable[Concatenate[MappedVersion, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`online`'s answer or, when the graph does not answer, `offline`'s from memory.

        `online` raises UnmappedError when another version serves. Raises NothingPublishedError
        when nothing is in memory either.
        """
        try:
            for _ in range(ATTEMPTS):
                try:
                    return self._breaker.call(online, *args, **kwargs)
                except UnmappedError as unmapped:
                    # Loading takes as long as it takes: it is not under an answer's deadline.
                    self._map(unmapped.version, unmapped.slot)
        except GraphUnavailableError:
            pass
        if self.version is None:
            raise NothingPublishedError(
                "the graph does not answer and no published version is in memory"
            )
        return offline(self.version, *args, **kwargs)

    def refresh(self) -> None:
        """Map what serves now if this process has not."""
        serving = fetch_serving(self.graph)
        if serving is not None:
            self._map(serving["id"], serving["slot"])

    def _map(self, version: str, slot: str) -> None:
        """Make `version` the mapped one. The one before is kept: a rollback costs nothing."""
        with self._loading:
            current = self.version
            if current is not None and current.id == version:
                return
            kept = self._before
            if kept is None or kept.id != version:
                kept = map_version(self.graph, version, slot, self._artifacts)
                log.info("version %s is mapped", version)
            self._before, self.version = current, kept
