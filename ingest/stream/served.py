"""Lists that were served, on their way into the graph: kept by Redis before their id is told.

A hash beside the stream, id to list, and of each person the ids of theirs by time. A list is
written into the graph, then taken from here: at any moment after it was kept it is in one of the
two. Whoever writes events that name lists has those written first, so that an outcome always finds
its list. It knows neither how lists are made nor what a list is for.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from pydantic_core import from_json, to_json

from graphdb.answers.served import ServedRow, save_served
from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError
from ingest.stream.fail_points import reach
from ingest.stream.stream import HEAD, EventStream, StreamFullError, StreamUnavailableError

log = logging.getLogger(__name__)

WAITING = f"{HEAD}:served"
PAGE = 500
MOST = 100_000

MOST_OF_ONE = 200
"""Of one id's lists, the newest are looked at: there are more only where somebody asks all the time
while nobody writes."""

KEEP = """
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if KEYS[2] then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2]) end
return 1
"""

LIST_OF = """
local lists = {}
for n = 2, #KEYS do
  for _, id in ipairs(redis.call('ZREVRANGE', KEYS[n], 0, ARGV[1] - 1)) do
    lists[#lists + 1] = redis.call('HGET', KEYS[1], id)
  end
end
return lists
"""


class ServedLists:
    """The lists beside a stream; what asks Redis raises StreamUnavailableError."""

    def __init__(self, stream: EventStream, most: int = MOST) -> None:
        self._stream, self._most = stream, most
        self._keep = stream.redis.register_script(KEEP)
        self._list_of = stream.redis.register_script(LIST_OF)

    def keep(self, row: ServedRow) -> None:
        """Keep a list durably. Raises StreamFullError when too many wait already."""
        keys = [WAITING, *([_shown_to(row["user_id"])] if row["user_id"] else [])]
        with self._stream.asking():
            kept = self._keep(keys=keys, args=[self._most, row["id"], to_json(row), row["at"]])
        if not kept:
            raise StreamFullError(f"{self._most} served lists wait for the graph already")

    def fetch(self, id: str, fetch_written: Callable[[str], ServedRow | None]) -> ServedRow | None:
        """The list of this id, wherever it is; `fetch_written` asks the graph, which need not
        answer while the list is here."""
        # In this order: what is written meanwhile is in the graph by the time that is asked.
        try:
            with self._stream.asking():
                text = cast(bytes | None, self._stream.redis.hget(WAITING, id))
        except StreamUnavailableError:
            if found := fetch_written(id):
                return found
            raise
        return from_json(text) if text is not None else fetch_written(id)

    def list_of(self, user_ids: Iterable[str]) -> list[ServedRow]:
        """The newest lists of these people that wait."""
        with self._stream.asking():
            keys = [WAITING, *map(_shown_to, user_ids)]
            found = cast(list[bytes | None], self._list_of(keys=keys, args=[MOST_OF_ONE]))
        return [from_json(text) for text in found if text is not None]

    def waiting(self) -> int:
        """How many are not in the graph yet."""
        with self._stream.asking():
            return self._stream.redis.hlen(WAITING)

    def write(self, graph: Graph, ids: Iterable[str]) -> None:
        """Write those of these lists that wait."""
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), PAGE):
            page = wanted[start : start + PAGE]
            with self._stream.asking():
                found = cast(list[bytes | None], self._stream.redis.hmget(WAITING, page))
            self._save(graph, [from_json(text) for text in found if text is not None])

    def write_all(self, graph: Graph) -> None:
        """Write every list that waits now."""
        cursor: int | None = None
        while cursor != 0:
            with self._stream.asking():
                page = self._stream.redis.hscan(WAITING, cursor or 0, count=PAGE)
            cursor, found = cast(tuple[int, dict[bytes, bytes]], page)
            self._save(graph, [from_json(text) for text in found.values()])

    def _save(self, graph: Graph, rows: Sequence[ServedRow]) -> None:
        if not rows:
            return
        try:
            save_served(graph, rows)
        except (GraphUnavailableError, StreamUnavailableError):
            raise
        except Exception as error:
            if len(rows) > 1:
                for row in rows:
                    self._save(graph, [row])
                return
            # One that will never be taken must not keep the events back that name it.
            log.error("served list %s is given up: %s", rows[0]["id"], type(error).__name__)
        reach("served.written")
        with self._stream.asking(), self._stream.redis.pipeline() as pipe:
            pipe.hdel(WAITING, *[row["id"] for row in rows])
            for row in rows:
                pipe.zrem(_shown_to(row["user_id"]), row["id"])
            pipe.execute()


def _shown_to(user_id: str) -> str:
    return f"{WAITING}:{user_id}"
