"""Events like a shop's: Zipf people and items, seeded, in blocks, so that any length fits memory.

A block's rows depend on the seed, the sizes and the block's number alone: whoever asks for 4
million events gets the first million of whoever asks for one.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from graphdb.domain import Domain, parse_domain
from graphdb.events.event_row import EventRow

BLOCK = 50_000
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
PACE = timedelta(seconds=5)
"""Between two events, on average; each is up to a day late besides."""

TYPES = ("viewed", "carted", "purchased")
SHARES = (0.85, 0.1, 0.05)
FILE_COLUMNS = ("event_id", "event_type", "user_id", "item_id", "occurred_at", "value")

DOMAIN = """
name = "shoplike"

[item]
label = "Product"

[item.fields.title]

[item.fields.shelf]
filter = true

[events.viewed]
relationship = "VIEWED"
weight = 0.2
half_life_days = 30

[events.carted]
relationship = "CARTED"
weight = 0.6
half_life_days = 60

[events.purchased]
relationship = "PURCHASED"
weight = 1.0
"""


def shoplike_domain() -> Domain:
    """The domain that the events are of."""
    return parse_domain(DOMAIN, "benchmarks/shoplike.py")


@dataclass(frozen=True)
class Block:
    """Events as arrays [n]: rows of users and items, places in TYPES, microseconds since 1970.

    `first` is the number of the first one; `value` is a purchase's price and NaN otherwise.
    """

    first: int
    user: np.ndarray
    item: np.ndarray
    type: np.ndarray
    at: np.ndarray
    value: np.ndarray

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True)
class ShopLike:
    """`events` events of `users` people on `items` items; people are Zipf 0.8, items Zipf 1.

    begin: how many of them are left out, whole blocks.
    """

    events: int = 1_000_000
    begin: int = 0
    users: int = 50_000
    items: int = 20_000
    seed: int = 1

    def blocks(self) -> Iterator[Block]:
        """All events in order, BLOCK at a time."""
        for first in range(self.begin, self.events, BLOCK):
            yield self._block(first, min(BLOCK, self.events - first))

    def rows(self) -> Iterator[EventRow]:
        """All events as validated rows, one after another."""
        for block in self.blocks():
            yield from rows_of(block)

    def write_parquet(self, path: Path, compression: str = "snappy") -> None:
        """The events as a file to import: FILE_COLUMNS, a row group a block."""
        schema = _table(self._block(0, 0)).schema
        with pq.ParquetWriter(path, schema, compression=compression) as writer:
            for block in self.blocks():
                writer.write_table(_table(block))

    def _block(self, first: int, size: int) -> Block:
        # Always a whole block's draws: a shorter last one is the beginning of the whole one.
        random = np.random.default_rng([self.seed, first])
        user = self._people[np.searchsorted(self._user_share, random.random(BLOCK))]
        item = np.searchsorted(self._item_share, random.random(BLOCK))
        kind = np.searchsorted(np.cumsum(SHARES)[:-1], random.random(BLOCK))
        late = random.integers(0, 86_400_000_000, BLOCK)
        start = int(BEGINNING.timestamp() * 1e6)
        step = int(PACE.total_seconds() * 1e6)
        at = start + (first + np.arange(BLOCK)) * step + late
        price = np.round(random.lognormal(3, 1, BLOCK), 2)
        value = np.where(kind == TYPES.index("purchased"), price, np.nan)
        columns = (user, item, kind, at, value)
        return Block(first, *(column[:size] for column in columns))

    @cached_property
    def _people(self) -> np.ndarray:
        """Who stands at which place of the activity order: ids do not follow it."""
        return np.random.default_rng(self.seed).permutation(self.users)

    @cached_property
    def _user_share(self) -> np.ndarray:
        return _zipf(self.users, 0.8)

    @cached_property
    def _item_share(self) -> np.ndarray:
        return _zipf(self.items, 1.0)


def user_id(row: int) -> str:
    return f"user-{row:06d}"


def item_id(row: int) -> str:
    return f"item-{row:06d}"


def event_id(number: int) -> str:
    return f"event-{number:09d}"


def rows_of(block: Block) -> Iterator[EventRow]:
    """A block's events as validated rows, received a minute after they happened."""
    columns = zip(
        block.user.tolist(),
        block.item.tolist(),
        block.type.tolist(),
        block.at.tolist(),
        block.value.tolist(),
        strict=True,
    )
    for number, (user, item, kind, at, value) in enumerate(columns, block.first):
        yield EventRow(
            event_id=event_id(number),
            event_type=TYPES[kind],
            user_id=user_id(user),
            item_id=item_id(item),
            occurred_at=at,
            at=at,
            received_at=at + 60_000_000,
            value=None if math.isnan(value) else value,
            anonymous_id=None,
            session_id=None,
            properties=None,
            context=None,
            recommendation_id=None,
            position=None,
            impressions=None,
        )


def _zipf(count: int, exponent: float) -> np.ndarray:
    weight = 1 / np.arange(1, count + 1) ** exponent
    share = np.cumsum(weight) / weight.sum()
    share[-1] = 1.0
    return share


def _table(block: Block) -> pa.Table:
    numbers = range(block.first, block.first + len(block))
    columns = (
        [event_id(n) for n in numbers],
        [TYPES[kind] for kind in block.type.tolist()],
        [user_id(row) for row in block.user.tolist()],
        [item_id(row) for row in block.item.tolist()],
        pa.array(block.at).cast(pa.timestamp("us", tz="UTC")),
        pa.array(block.value, from_pandas=True),
    )
    arrays = [pa.array(c, pa.string()) if isinstance(c, list) else c for c in columns]
    return pa.table(dict(zip(FILE_COLUMNS, arrays, strict=True)))
