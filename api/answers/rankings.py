"""Rankings in this process's memory: trending, popular, latest, and those of the domain.

They are read from the graph at times, as an answer cannot wait for it, and written to a file, so
that a process that starts without graph and version has a list to answer with. Nothing in it is
about a person. What was hidden since the last reading is left out by whoever shows a list.
"""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from graphdb.answers.filtering import compile_filter
from graphdb.answers.rankings import list_by_field, list_latest, list_trending
from graphdb.answers.retrieval import list_popular
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.filters import parse_filter
from graphdb.local.processes import write_private
from graphdb.specs import RANKINGS, RankingSpec

Scored = tuple[str, float | None]

MOST = 2_000
"""Items kept of each ranking: the longest list that may be asked for, and as many left out."""
WINDOW = timedelta(days=7)
"""What trends has been chosen since then."""
RENEW_S, PAUSES = 10.0, 20
"""Seconds between two readings at least; more where reading takes longer than a PAUSES-th of it."""


class Rankings:
    """The lists and when they were read; renewed in place, safe to read meanwhile."""

    def __init__(self, domain: Domain, path: Path) -> None:
        self._domain, self._path = domain, path
        own = {name: RankingSpec(order=name) for name in RANKINGS}
        self._specs = {**own, **domain.rankings}
        self._lists: dict[str, list[Scored]] | None = None
        self._due = 0.0
        self.as_of: datetime | None = None

    @property
    def names(self) -> list[str]:
        """Of the rankings that there are."""
        return list(self._specs)

    def of(self, name: str) -> list[Scored]:
        """Items with their scores, best first; none before anything was ever read."""
        if self._lists is None:
            self._recall()
        return (self._lists or {}).get(name, [])

    def renew(self, graph: Graph) -> None:
        """Read them again if it is time to."""
        began = time.monotonic()
        if began < self._due:
            return
        now = datetime.now(UTC)
        self._lists = {name: self._read(graph, spec, now) for name, spec in self._specs.items()}
        self.as_of = now
        specs = {name: spec.model_dump() for name, spec in self._specs.items()}
        kept = {"as_of": now.isoformat(), "specs": specs, "lists": self._lists}
        write_private(self._path, json.dumps(kept))
        ended = time.monotonic()
        self._due = ended + max(RENEW_S, PAUSES * (ended - began))

    def _read(self, graph: Graph, spec: RankingSpec, now: datetime) -> list[Scored]:
        domain = self._domain
        tree = None if spec.filter is None else parse_filter(spec.filter, domain)
        passing = compile_filter(domain, tree)
        if spec.by_field:
            rows = list_by_field(graph, *spec.by_field, MOST, passing)
        elif spec.order == "trending":
            rows = list_trending(graph, domain, now - WINDOW, MOST, passing)
        elif spec.order == "latest":
            rows = list_latest(graph, MOST, passing)
        else:
            popular = list_popular(graph, domain, MOST, passing)
            return [(row["id"], float(row["events"])) for row in popular]
        return [(row["id"], row["score"]) for row in rows]

    def _recall(self) -> None:
        """What was kept, but for rankings that meant something else then."""
        with suppress(OSError, ValueError, KeyError):
            kept = json.loads(self._path.read_text("utf-8"))
            self._lists = {
                name: [(item, score) for item, score in kept["lists"][name]]
                for name, spec in self._specs.items()
                if kept["specs"].get(name) == spec.model_dump()
            }
            self.as_of = datetime.fromisoformat(kept["as_of"])
