"""Trending, popular and latest items, kept in this process's memory.

They are read from the graph at times, as an answer cannot wait for it, and written to a file, so
that a process that starts without graph and version has a list to answer with. Nothing in it is
about a person. What was hidden since the last reading is left out by whoever shows a list.
"""

import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from graphdb.answers.rankings import list_latest, list_trending
from graphdb.answers.retrieval import list_popular
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.local.processes import write_private

Ranking = Literal["trending", "popular", "latest"]
Scored = tuple[str, float]

MOST = 2_000
"""Items kept of each ranking: the longest list that may be asked for, and as many left out."""
WINDOW = timedelta(days=7)
"""What trends has been chosen since then."""
RENEW_S, PAUSES = 10.0, 20
"""Seconds between two readings at least; more where reading takes longer than a PAUSES-th of it."""


class Rankings:
    """The three lists and when they were read; renewed in place, safe to read meanwhile."""

    def __init__(self, domain: Domain, path: Path) -> None:
        self._domain, self._path = domain, path
        self._lists: dict[str, list[Scored]] | None = None
        self._due = 0.0
        self.as_of: datetime | None = None

    def of(self, name: Ranking) -> list[Scored]:
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
        popular = list_popular(graph, self._domain, MOST)
        rows: dict[str, list[dict[str, Any]]] = {
            "trending": list_trending(graph, self._domain, now - WINDOW, MOST),
            "popular": [{"id": row["id"], "score": float(row["events"])} for row in popular],
            "latest": list_latest(graph, MOST),
        }
        self._lists = {
            name: [(row["id"], row["score"]) for row in found] for name, found in rows.items()
        }
        self.as_of = now
        kept = {"as_of": now.isoformat(), "lists": self._lists}
        write_private(self._path, json.dumps(kept))
        ended = time.monotonic()
        self._due = ended + max(RENEW_S, PAUSES * (ended - began))

    def _recall(self) -> None:
        with suppress(OSError, ValueError, KeyError):
            kept = json.loads(self._path.read_text("utf-8"))
            self.as_of = datetime.fromisoformat(kept["as_of"])
            self._lists = {
                name: [(item, score) for item, score in rows]
                for name, rows in kept["lists"].items()
            }
