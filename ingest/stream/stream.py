"""The stream of events: what was appended here is kept, in order, until the graph has it.

Rows stand in a fixed number of partitions by person, numbered densely from 1 in each. A request's
rows of a partition are chunks of at most 500: one entry of a Redis Stream, whose id is the number
of its last row and whose token tells it from any other chunk of that number. It knows Redis and
the form of a row; it knows neither the graph nor who reads.
"""

import secrets
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import Any, cast

from pydantic_core import from_json, to_json
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from graphdb.errors import PathlightError
from graphdb.events.event_row import EventRow

CHUNK = 500
SOCKET_S = 1.5
"""Seconds after which a Redis that is silent counts as down: below the 2 that a client is told."""
PAUSE_S = 1.0
"""Seconds for which calls are refused at once after a failure, so that none queue behind it."""
HEAD = "pathlight:{events}"
"""A hash: partitions, next:<p> and done:<p>. The braces keep all keys of the
stream on one node of a cluster."""


class StreamUnavailableError(PathlightError):
    """Redis did not take or give what was asked: nothing was acknowledged."""


class StreamFullError(StreamUnavailableError):
    """Too many rows wait for the graph."""


@dataclass(frozen=True)
class Place:
    """Where one row stands in the stream; `token` is its chunk's."""

    partition: int
    seq: int
    token: str

    @property
    def name(self) -> str:
        """Unique for ever, also when numbers begin again."""
        return f"{self.partition}-{self.seq}-{self.token}"


@dataclass(frozen=True)
class Chunk:
    """One entry: `rows[n]` has the number `first + n`."""

    partition: int
    last: int
    token: str
    rows: list[EventRow]

    @property
    def first(self) -> int:
        return self.last - len(self.rows) + 1


@dataclass(frozen=True)
class Backlog:
    """Numbers of one partition: the last appended, and the last that a reader has reported."""

    appended: int
    done: int


# All of a request or nothing: a script is one transaction of the append-only file.
APPEND = """
local kept = redis.call('HGET', KEYS[1], 'partitions')
if kept and kept ~= ARGV[1] then return redis.error_reply('PARTITIONS ' .. kept) end
local waiting = tonumber(ARGV[3])
for p = 0, ARGV[1] - 1 do
  local numbers = redis.call('HMGET', KEYS[1], 'next:' .. p, 'done:' .. p)
  waiting = waiting + (tonumber(numbers[1]) or 0) - (tonumber(numbers[2]) or 0)
end
if waiting > tonumber(ARGV[2]) then return redis.error_reply('FULL ' .. waiting) end
redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
local firsts = {}
for n = 4, #ARGV, 4 do
  local p, count = ARGV[n], tonumber(ARGV[n + 1])
  local last = redis.call('HINCRBY', KEYS[1], 'next:' .. p, count)
  redis.call('XADD', KEYS[1] .. ':' .. p, string.format('%.0f-0', last),
             'token', ARGV[n + 2], 'rows', ARGV[n + 3])
  firsts[#firsts + 1] = last - count + 1
end
return firsts
"""

# Only while the chunk at the offset is the one that was read: numbers may have begun again.
ADVANCE = """
for n = 5, #ARGV, 2 do redis.call('HINCRBY', KEYS[1] .. ':counts', ARGV[n], ARGV[n + 1]) end
local key = KEYS[1] .. ':' .. ARGV[1]
local found = redis.call('XRANGE', key, ARGV[2], '+', 'COUNT', 1)
if not found[1] or found[1][2][2] ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'done:' .. ARGV[1], ARGV[2])
local least = ARGV[2] - ARGV[4]
if least > 0 then redis.call('XTRIM', key, 'MINID', string.format('%.0f', least)) end
return 1
"""

# Times are the server's: the readers' clocks may differ.
MEET = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1] .. ':readers', now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1] .. ':readers', '-inf', '(' .. now)
return redis.call('ZRANGE', KEYS[1] .. ':readers', 0, -1)
"""


class EventStream:
    """The stream on one Redis; thread-safe, connects when first used.

    `partitions` counts only where the stream is first made; `most_waiting` rows may wait for the
    graph. Every method raises StreamUnavailableError within two seconds when Redis cannot, or after
    `patience` seconds.
    """

    def __init__(
        self,
        url: str,
        partitions: int = 4,
        most_waiting: int = 2_000_000,
        patience: float | None = None,
    ) -> None:
        self._wanted, self._most_waiting = partitions, most_waiting
        self._partitions = 0
        self._pool = _pool(url, SOCKET_S if patience is None else patience)
        self._waiting_pool = _pool(url, SOCKET_S + 5)
        self.redis: Redis = Redis(connection_pool=self._pool)
        self._append = self.redis.register_script(APPEND)
        self._advance = self.redis.register_script(ADVANCE)
        self._meet = self.redis.register_script(MEET)
        self._down_until = 0.0
        self._lock = threading.Lock()

    def partitions(self) -> int:
        """How many there are; a stream that is not there yet is made."""
        with self.asking():
            if not self._partitions:
                self.redis.hsetnx(HEAD, "partitions", str(self._wanted))
                self._partitions = int(cast(bytes, self.redis.hget(HEAD, "partitions")))
        return self._partitions

    def append(self, rows: Sequence[EventRow]) -> list[Place]:
        """Keep rows durably, all of them or none; returns each one's place.

        Raises StreamFullError when too many wait already.
        """
        if not rows:
            return []
        try:
            return self._append_to(self._partitions or self._wanted, rows)
        except ResponseError as error:
            kept = str(error).removeprefix("PARTITIONS ")
            self._partitions = int(kept)
            return self._append_to(self._partitions, rows)

    def _append_to(self, partitions: int, rows: Sequence[EventRow]) -> list[Place]:
        by_partition: dict[int, list[int]] = {}
        for n, row in enumerate(rows):
            by_partition.setdefault(partition_of(row["user_id"], partitions), []).append(n)
        chunks = [
            (partition, positions[start : start + CHUNK], secrets.token_hex(6))
            for partition, positions in by_partition.items()
            for start in range(0, len(positions), CHUNK)
        ]
        arguments: list[Any] = [partitions, self._most_waiting, len(rows)]
        for partition, positions, token in chunks:
            arguments += [partition, len(positions), token, _packed([rows[n] for n in positions])]
        with self.asking():
            firsts = self._append(keys=[HEAD], args=arguments)
        places: list[Place | None] = [None] * len(rows)
        for (partition, positions, token), first in zip(chunks, firsts, strict=True):
            for offset, n in enumerate(positions):
                places[n] = Place(partition, first + offset, token)
        return cast(list[Place], places)

    def read(self, partition: int, number: int, count: int) -> list[Chunk]:
        """At most `count` chunks from the one with `number` on, in order."""
        with self.asking():
            found = self.redis.xrange(_key(partition), max(number, 0), "+", count=count)
        return [
            Chunk(partition, int(id.partition(b"-")[0]), entry[b"token"].decode(), rows)
            for id, entry in cast(list[tuple[bytes, dict[bytes, bytes]]], found)
            for rows in [_unpacked(entry[b"rows"])]
        ]

    def await_rows(self, partition: int, number: int, seconds: float) -> None:
        """Return when rows beyond `number` are there, after `seconds` (at most 5) at the latest."""
        with self.asking(), Redis(connection_pool=self._waiting_pool) as waiting:
            block = max(1, int(min(seconds, 5) * 1000))
            waiting.xread({_key(partition): max(number, 0)}, count=1, block=block)

    def advance(
        self, partition: int, number: int, token: str, keep: int, counts: Mapping[str, int]
    ) -> bool:
        """Note that the graph has everything up to `number`, in the chunk of `token`, and what
        became of it (`counts` are added up); rows more than `keep` before it are given up.

        False, and only counted, if that chunk is not there.
        """
        pairs = [part for name, count in counts.items() if count for part in (name, count)]
        with self.asking():
            return bool(self._advance(keys=[HEAD], args=[partition, number, token, keep, *pairs]))

    def meet(self, name: str, seconds: float) -> list[str]:
        """Announce a reader for so long; returns the living ones' names, this one among them."""
        with self.asking():
            return sorted(n.decode() for n in self._meet(keys=[HEAD], args=[name, ceil(seconds)]))

    def leave(self, name: str) -> None:
        """Take a reader's announcement back."""
        with self.asking():
            self.redis.zrem(f"{HEAD}:readers", name)

    def readers(self) -> list[str]:
        """The names of readers announced lately, without a look at the clock."""
        with self.asking():
            return sorted(
                n.decode() for n in cast(list, self.redis.zrange(f"{HEAD}:readers", 0, -1))
            )

    def counts(self) -> dict[str, int]:
        """What `advance` has added up."""
        with self.asking():
            held = cast(dict[bytes, bytes], self.redis.hgetall(f"{HEAD}:counts"))
        return {name.decode(): int(count) for name, count in held.items()}

    def backlog(self) -> list[Backlog]:
        """The numbers of every partition."""
        with self.asking():
            held = cast(dict[bytes, bytes], self.redis.hgetall(HEAD))
        return [
            Backlog(int(held.get(b"next:%d" % p, 0)), int(held.get(b"done:%d" % p, 0)))
            for p in range(int(held.get(b"partitions", 0)))
        ]

    def close(self) -> None:
        """Close every connection."""
        self._pool.disconnect()
        self._waiting_pool.disconnect()

    @contextmanager
    def asking(self) -> Generator[None]:
        """A block that asks Redis: its errors as StreamUnavailableError, refused at once for a
        moment after one."""
        if time.monotonic() < self._down_until:
            raise StreamUnavailableError("the stream did not answer a moment ago")
        try:
            yield
        except ResponseError as error:
            said = str(error)
            if said.startswith("PARTITIONS "):
                raise
            if said.startswith("FULL "):
                raise StreamFullError(
                    f"{said.removeprefix('FULL ')} events wait for the graph already"
                ) from None
            raise StreamUnavailableError(f"the stream takes nothing in: {said[:200]}") from error
        except RedisError as error:
            with self._lock:
                self._down_until = time.monotonic() + PAUSE_S
            raise StreamUnavailableError(
                f"the stream did not answer: {type(error).__name__}"
            ) from error


def partition_of(user_id: str, partitions: int) -> int:
    """The partition of a person's events: the same for ever."""
    digest = blake2b(user_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % partitions


def _pool(url: str, timeout: float) -> ConnectionPool:
    return ConnectionPool.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        driver_info=None,
    )


def _key(partition: int) -> str:
    return f"{HEAD}:{partition}"


def _packed(rows: list[EventRow]) -> bytes:
    return to_json(rows)


def _unpacked(text: bytes) -> list[EventRow]:
    return from_json(text, cache_strings="keys")
