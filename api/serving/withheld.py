"""Items that answers from memory must not show: hidden, expired, or deleted since the training."""

import threading
import time
from collections.abc import Mapping, Sequence

from graphdb.catalogue.withheld import count_deleted, fetch_withheld, list_missing
from graphdb.connection import Graph


class Withheld:
    """From when on items of `item_ids` must not be shown, in seconds since 1970, by id."""

    def __init__(self, item_ids: Sequence[str], since: Mapping[str, float] | None = None) -> None:
        self.since = dict(since or {})
        self._item_ids = item_ids
        self._missing: Sequence[str] = item_ids
        self._deleted: int | None = None
        self._noted = 0
        self._lock = threading.Lock()

    def now(self) -> set[str]:
        """Ids of the items that must not be shown at this moment."""
        now = time.time()
        return {item for item, since in list(self.since.items()) if since <= now}

    def note(self, since: Mapping[str, float | None]) -> None:
        """Note at once what was written a moment ago; None stands for an item that may be shown."""
        with self._lock:
            self._noted += 1
            gone = {item for item, at in since.items() if at is None}
            kept = {item: at for item, at in self.since.items() if item not in gone}
            self.since = kept | {item: at for item, at in since.items() if at is not None}

    def renew(self, graph: Graph) -> bool:
        """Read it all from the graph; False when something was noted meanwhile: ask again.

        Every item is looked up only after one was deleted: else what was missing, for it may be
        back.
        """
        noted, deleted = self._noted, count_deleted(graph)
        sought = self._missing if deleted == self._deleted else self._item_ids
        missing = list_missing(graph, sought)
        since = fetch_withheld(graph) | dict.fromkeys(missing, 0.0)
        with self._lock:
            if noted == self._noted:
                self.since, self._missing, self._deleted = since, missing, deleted
            return noted == self._noted
