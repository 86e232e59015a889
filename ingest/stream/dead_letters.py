"""Rows that were not taken into the graph, each with the reason: kept until somebody decides.

Bounded, and nothing is ever pushed out: a full store refuses. A letter has the row as a sender
would write it, so that replaying it goes the way of every event. It knows Redis, and neither the
graph nor why rows are refused.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from graphdb.domain import Domain
from graphdb.events.event_row import EPOCH, EventRow, event_digest
from graphdb.people.tombstones import event_mark
from ingest.event import read_events
from ingest.stream.stream import HEAD, EventStream, StreamUnavailableError

MOST = 100_000
LETTERS = f"{HEAD}:dead"
"""A hash, name to letter; `:order` beside it is the order in which they came."""
ANONYMOUS = "anonymous:"


class DeadLettersFullError(StreamUnavailableError):
    """No more letters are kept: replay or drop some."""


@dataclass(frozen=True)
class DeadLetter:
    """One row and why it is here.

    `name` is unique for the row, so that the same row put here twice is one letter. `reason` is a
    code: too_old, conflict, poison; `source` says from where it came, `at` when it was put here
    (ISO 8601).
    """

    name: str
    row: Mapping[str, Any]
    reason: str
    detail: str
    source: str
    at: str


PUT = """
local free = ARGV[1] - redis.call('HLEN', KEYS[1])
for n = 2, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[n]) == 0 then free = free - 1 end
end
if free < 0 then return 0 end
for n = 2, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[n], ARGV[n + 1]) == 1 then
    local number = redis.call('INCR', KEYS[1] .. ':number')
    redis.call('ZADD', KEYS[1] .. ':order', number, ARGV[n])
  end
end
return 1
"""

REMOVE = """
local removed = 0
for n = 1, #ARGV do
  removed = removed + redis.call('HDEL', KEYS[1], ARGV[n])
  redis.call('ZREM', KEYS[1] .. ':order', ARGV[n])
end
return removed
"""


class DeadLetters:
    """The letters beside a stream; every method raises StreamUnavailableError."""

    def __init__(self, stream: EventStream, most: int = MOST) -> None:
        self._stream, self._most = stream, most
        self._put = stream.redis.register_script(PUT)
        self._remove = stream.redis.register_script(REMOVE)

    def put(self, letters: Sequence[DeadLetter]) -> None:
        """Keep letters, all of them or none. Raises DeadLettersFullError."""
        if not letters:
            return
        arguments: list[Any] = [self._most]
        for letter in letters:
            arguments += [letter.name, json.dumps(asdict(letter))]
        with self._stream.asking():
            kept = self._put(keys=[LETTERS], args=arguments)
        if not kept:
            raise DeadLettersFullError(
                f"{self._most} dead letters are kept already: replay or drop some"
            )

    def list_letters(self, limit: int = 1000, start: int = 0) -> list[DeadLetter]:
        """Letters in the order in which they came."""
        redis = self._stream.redis
        with self._stream.asking():
            names = cast(list, redis.zrange(f"{LETTERS}:order", start, start + limit - 1))
            found = cast(list, redis.hmget(LETTERS, names)) if names else []
        return [DeadLetter(**json.loads(text)) for text in found if text]

    def fetch(self, names: Sequence[str]) -> dict[str, DeadLetter]:
        """The letters of these names that are there."""
        if not names:
            return {}
        with self._stream.asking():
            found = cast(list, self._stream.redis.hmget(LETTERS, list(names)))
        letters = [DeadLetter(**json.loads(text)) for text in found if text]
        return {letter.name: letter for letter in letters}

    def of_person(self, user_id: str) -> list[str]:
        """The names of the letters about one person."""
        names: list[str] = []
        for name, text in self._stream.redis.hscan_iter(LETTERS, count=1000):
            row = json.loads(text)["row"]
            if user_id in (row.get("user_id"), f"{ANONYMOUS}{row.get('anonymous_id')}"):
                names.append(name.decode())
        return sorted(names)

    def count(self) -> int:
        """How many are kept."""
        with self._stream.asking():
            return int(self._stream.redis.hlen(LETTERS))

    def by_partition(self) -> Counter[int]:
        """How many came from each partition of the stream; -1 for those that never got there."""
        with self._stream.asking():
            names = [name.decode() for name in cast(list, self._stream.redis.hkeys(LETTERS))]
        heads = [name.partition("-")[0] for name in names]
        return Counter(int(head) if head.isdigit() and len(head) < 3 else -1 for head in heads)

    def remove(self, names: Sequence[str]) -> int:
        """Give letters up; returns how many were there."""
        if not names:
            return 0
        with self._stream.asking():
            return int(cast(int, self._remove(keys=[LETTERS], args=list(names))))


def as_sent(row: EventRow) -> dict[str, Any]:
    """A validated row as a sender would write it."""
    raw: dict[str, Any] = {k: v for k, v in row.items() if v is not None}
    for name in ("at", "received_at"):
        del raw[name]
    raw["occurred_at"] = (EPOCH + timedelta(microseconds=row["occurred_at"])).isoformat()
    for name in ("properties", "context"):
        if name in raw:
            raw[name] = json.loads(raw[name])
    if row["user_id"].startswith(ANONYMOUS):
        raw["anonymous_id"] = raw.pop("user_id").removeprefix(ANONYMOUS)
    return raw


def letter_of(row: EventRow, reason: str, detail: str, source: str, at: datetime) -> DeadLetter:
    """A row without a place in the stream, named after what it is: again it is the same letter."""
    name = f"{event_mark(row['event_type'], row['event_id'])}-{event_digest(row)}"
    return DeadLetter(name, as_sent(row), reason, detail, source, at.isoformat())


@dataclass(frozen=True)
class Replay:
    """What became of letters that were sent once more: `kept` have the reason beside their name."""

    replayed: int
    kept: dict[str, str]


def replay(
    domain: Domain, stream: EventStream, store: DeadLetters, letters: Sequence[DeadLetter]
) -> Replay:
    """Send letters the way of every event; what is still refused stays a letter.

    Those that cannot be taken by the graph once more come back as new letters.
    """
    batch = read_events(domain, [letter.row for letter in letters], datetime.now(UTC))
    # Appended first: dying in between leaves both, and the event counts once.
    stream.append(batch.rows)
    refused = {letters[row["index"]].name: row["detail"] for row in batch.rejected}
    store.remove([letter.name for letter in letters if letter.name not in refused])
    return Replay(len(letters) - len(refused), refused)
