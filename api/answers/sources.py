"""The domain's own sources of candidates, each behind a deadline and a breaker of its own.

One that fails or is slow is left out for a moment and named; an answer never waits for it longer
than it may take. It knows nothing of what becomes of the candidates.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.serving.breaker import GraphBreaker
from graphdb.answers.sources import SourceError, check_source, fetch_source
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError, PathlightError
from graphdb.specs import SourceSpec

log = logging.getLogger(__name__)

AT_ONCE = 8
"""Answers that may ask one source at the same time."""
PAUSE_S = 5.0
SHARE = 0.5
"""Of an answer's patience with the graph: the sources' part."""
RECENT = 50
"""Items told a source as the person's own, at most."""


@dataclass
class _Watched:
    """A source; checked: whether it was let through; refused: why it was not."""

    spec: SourceSpec
    breaker: GraphBreaker
    checked: bool = False
    refused: str = field(default="")


def check_budget(domain: Domain, patience_s: float) -> None:
    """Raise SourceError when sources may take so long that an answer would be given up."""
    together = sum(source.timeout_ms for source in domain.sources.values())
    most = int(patience_s * SHARE * 1000)
    if together > most:
        raise SourceError(
            f"domain {domain.name}: its sources may take {together} ms together; expected at most "
            f"{most} ms, half of PATHLIGHT_GRAPH_PATIENCE_S"
        )


class Sources:
    """All sources of a domain on one graph."""

    def __init__(self, graph: Graph, domain: Domain) -> None:
        self._graph = graph
        self._watched = {
            name: _Watched(spec, GraphBreaker(spec.timeout_ms / 1000, PAUSE_S, readers=AT_ONCE))
            for name, spec in domain.sources.items()
        }

    def check(self) -> None:
        """Have the graph plan each source that was not checked yet; a refused one stays out."""
        for name, watched in self._watched.items():
            if watched.checked or watched.refused:
                continue
            try:
                check_source(self._graph, watched.spec)
                watched.checked = True
            except GraphUnavailableError:
                raise
            except PathlightError as error:
                watched.refused = str(error)
                log.error("source %s is left out: %s", name, error)

    def find(self, person: str, recent: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
        """What each source finds, and the names of those that did not answer."""
        found, silent = {}, []
        for name, watched in self._watched.items():
            try:
                if not watched.checked:
                    raise GraphUnavailableError("not checked yet")
                found[name] = watched.breaker.call(
                    fetch_source, self._graph, watched.spec, person, recent[:RECENT]
                )
            except PathlightError:
                silent.append(name)
        return found, silent

    def close(self) -> None:
        """Ask no more."""
        for watched in self._watched.values():
            watched.breaker.close()
