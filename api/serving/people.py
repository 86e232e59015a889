"""Who is who, in this process's memory: people's keys in the files, and who was joined to whom.

It answers while the graph is down. Nothing of it is ever written to disk.
"""

from datetime import UTC, datetime, timedelta

from graphdb.connection import Graph
from graphdb.people.people import fetch_news, fetch_people

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_WRITE = timedelta(minutes=2)
"""What is committed later than another may carry an earlier time, by so much at most."""


class People:
    """The keys of people by id; kept up in place, and safe to read meanwhile."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._sources: dict[str, list[str]] = {}
        self._until = BEGINNING
        self._erased: int | None = None

    def keys_of(self, user_id: str) -> list[str]:
        """A person's own key, then those of everybody joined to them; none for a stranger."""
        known = self._known.get(user_id, user_id)
        members = [known, *self._sources.get(known, ())]
        return [self.keys[member] for member in members if member in self.keys]

    def renew(self, graph: Graph) -> None:
        """Note who was joined since; read everybody the first time, and after an erasure.

        Whoever came since is of no use to a version that was trained before.
        """
        news = fetch_news(graph, self._until - LONGEST_WRITE)
        if news.erased != self._erased:
            self.keys = fetch_people(graph)
        self.join(news.joined)
        self._until, self._erased = news.at, news.erased

    def join(self, joined: dict[str, str]) -> None:
        """Note whom people were joined to, by the id of the source."""
        for source, known in joined.items():
            before = self._known.get(source)
            if before == known:
                continue
            if before is not None:
                self._sources[before] = [s for s in self._sources[before] if s != source]
            mine = self._sources.pop(source, [])
            self._known |= dict.fromkeys((source, *mine), known)
            self._sources[known] = [*self._sources.get(known, ()), source, *mine]

    def forget(self, user_id: str) -> None:
        """Forget a person and everybody joined to them."""
        known = self._known.get(user_id, user_id)
        for member in (known, *self._sources.pop(known, ())):
            self.keys.pop(member, None)
            self._known.pop(member, None)
