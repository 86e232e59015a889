"""An earlier snapshot as the base of a later one: whose events have not changed, and those events.

It reads files only. That a person has not changed is told by the two counters kept with their
events: what was added, and what was taken back.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from graphdb.domain import Domain
from graphdb.snapshot import SnapshotError, check_files, read_manifest

STORED = ["user", "item", "type", "at", "value"]
"""What does not depend on the moment: weights do."""


@dataclass(frozen=True)
class Member:
    """Somebody whose events are a user's: key, and counters when they were listed."""

    key: str
    event_count: int
    removed_count: int


class EarlierSnapshot:
    """The people and events of a snapshot's files, read a row group at a time.

    `item_rows`: the later snapshot's row of every item id.
    """

    def __init__(self, directory: Path, domain: Domain, item_rows: dict[str, int]) -> None:
        members = pq.read_table(directory / "members.parquet")
        users = members["user"].to_pylist()
        counts, removed = members["event_count"].to_pylist(), members["removed_count"].to_pylist()
        self._member = dict(
            zip(members["key"].to_pylist(), zip(users, counts, removed, strict=True), strict=True)
        )
        self._members_of = Counter(users)
        items = pq.read_table(directory / "items.parquet", columns=["id"])["id"].to_pylist()
        self._item_row = np.array([item_rows.get(item, -1) for item in items], np.int32)
        self._kind = {name: place for place, name in enumerate(domain.events)}
        self._file = pq.ParquetFile(directory / "events.parquet")
        sizes = [
            self._file.metadata.row_group(n).num_rows for n in range(self._file.num_row_groups)
        ]
        self._group_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._user_start = self._count_users(max(users, default=-1) + 1)
        self._held: tuple[int, pa.Table] | None = None

    def unchanged(self, members: Sequence[Member]) -> int | None:
        """The user that these people were, if none of their events changed since; else None."""
        found = {self._member.get(m.key) for m in members}
        places = {place[0] for place in found if place}
        if None in found or len(places) != 1:
            return None
        (user,) = places
        same = all(self._member[m.key][1:] == (m.event_count, m.removed_count) for m in members)
        return user if same and self._members_of[user] == len(members) else None

    def events(self, users: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Arrays user, item, kind, at, value of the events of `users` [n], ascending.

        `rows` [n] are the later snapshot's rows of these users. Raises SnapshotError when an
        unchanged event's item is no longer there.
        """
        first, last = (
            (self._user_start[users[0]], self._user_start[users[-1] + 1]) if len(users) else (0, 0)
        )
        if first == last:
            return tuple(np.empty(0, kind) for kind in (np.int32, np.int32, np.int8, "i8", "f8"))
        parts = [self._columns(table) for table in self._slices(first, last)]
        user, item, kind, at, value = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        place = np.searchsorted(users, user)
        wanted = users[np.minimum(place, len(users) - 1)] == user
        item = self._item_row[item[wanted]]
        if (item < 0).any():
            raise SnapshotError("an item of unchanged events is no longer in the catalogue")
        return rows[place[wanted]], item, kind[wanted], at[wanted], value[wanted]

    def _columns(self, table: pa.Table) -> tuple[np.ndarray, ...]:
        encoded = table["type"].combine_chunks()
        codes = np.array([self._kind[name] for name in encoded.dictionary.to_pylist()], np.int8)
        return (
            table["user"].to_numpy(),
            table["item"].to_numpy(),
            codes[encoded.indices.to_numpy()] if len(codes) else np.empty(0, np.int8),
            table["at"].cast(pa.int64()).to_numpy(),
            pc.fill_null(table["value"], float("nan")).to_numpy(),
        )

    def _slices(self, first: int, last: int) -> Iterator[pa.Table]:
        group = int(np.searchsorted(self._group_start, first, side="right")) - 1
        while first < last:
            table, start = self._group(group), self._group_start[group]
            end = min(last, self._group_start[group + 1])
            yield table.slice(first - start, end - first)
            first, group = end, group + 1

    def _group(self, number: int) -> pa.Table:
        if self._held is None or self._held[0] != number:
            self._held = (number, self._file.read_row_group(number, columns=STORED))
        return self._held[1]

    def _count_users(self, users: int) -> np.ndarray:
        """[users + 1]: where each user's events begin; they stand in the users' order."""
        counts = np.zeros(users, np.int64)
        for batch in self._file.iter_batches(columns=["user"]):
            counts += np.bincount(batch["user"].to_numpy(), minlength=users)
        return np.concatenate([[0], np.cumsum(counts)])


def refusal(directory: Path, domain: Domain, received_by: datetime | None) -> str | None:
    """Why the snapshot in `directory` cannot be the base of one of events received by then."""
    try:
        manifest = read_manifest(directory)
        check_files(directory, manifest.files)
    except SnapshotError as error:
        return str(error)
    if manifest.domain_hash != domain.digest:
        return f"{directory.name} is of another domain, or an earlier form of this one"
    if received_by is not None and (
        manifest.received_by is None or manifest.received_by > received_by
    ):
        return f"{directory.name} may hold events received after {received_by.isoformat()}"
    return None
