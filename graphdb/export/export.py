"""The graph into a snapshot: a clean cut, read while others write, proven complete.

It reads the committed offsets and counts, then all events, which must add up to the counts. Where
they do not, because others wrote meanwhile, another turn begins with the offsets of by then, reads
only who has changed since, at or below those offsets, and must add up in turn; the last one holds
the sources. The same makes a snapshot from an earlier one.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.event_row import micros
from graphdb.events.weights import counted, event_weights
from graphdb.export.earlier import EarlierSnapshot, Member, refusal
from graphdb.export.histories import (
    PAGE_EVENTS,
    PAGE_PEOPLE,
    Cut,
    ExportError,
    HistoryReader,
    hold_cut,
    lock_cut,
)
from graphdb.export.tables import People, read_edges, read_items
from graphdb.snapshot import EVENTS, MEMBERS, Manifest, SnapshotError, SnapshotWriter

TURNS = 3
"""Taken beside writers before one is taken while the sources are held."""

FETCH_OFFSETS = """
MATCH (s:Source)
RETURN s.id AS source, s.offset AS offset
"""


def fetch_cut(graph: Graph) -> dict[str, int]:
    """The offset of every source: what a snapshot taken now would hold."""
    return {row["source"]: row["offset"] for row in graph.read(FETCH_OFFSETS)}


FETCH_CLOCK = "RETURN datetime.realtime().epochMillis AS now"


def export_snapshot(
    graph: Graph,
    domain: Domain,
    directory: Path,
    *,
    received_by: datetime | None = None,
    since: Path | None = None,
) -> Manifest:
    """Write the graph as it is now to the snapshot `directory`.

    received_by: leave out events that came in later, and count ages up to then; the catalogue is
    as it is now. since: an earlier snapshot; people whose events have not changed are taken from
    it, and the result is the same; where it cannot serve, the manifest says why. Raises
    ExportError when events that the sources counted are missing, FileExistsError when the
    directory is there.
    """
    now = datetime.fromtimestamp(graph.read(FETCH_CLOCK)[0]["now"] / 1000, UTC)
    refused = refusal(since, domain, received_by) if since else None
    base = None if refused else since
    with ExitStack() as built:
        taken = None
        for number in range(TURNS):
            turn = Turn(graph, domain, directory, received_by, now, base, exact=number > 0)
            built.callback(turn.writer.discard)
            try:
                turn.take(lock_cut(graph))
            except SnapshotError as error:
                # The base, or the catalogue, moved: only the graph as it is now is to be trusted.
                base, refused = None, refused or (str(error) if since else None)
                continue
            if turn.settled(lock_cut(graph)):
                taken = turn
                break
            base = turn.writer.building
        if taken is None:
            taken = Turn(graph, domain, directory, received_by, now, base, exact=True)
            built.callback(taken.writer.discard)
            graph.transaction(lambda tx: taken.take(hold_cut(tx)))
            taken.check()
        used = since.name if since and not refused else None
        manifest = taken.finish(since=used, since_refused=refused)
        taken.writer.publish()
    return manifest


class Turn:
    """One reading of everything, beside `base` of what has changed since, into files."""

    def __init__(
        self,
        graph: Graph,
        domain: Domain,
        directory: Path,
        received_by: datetime | None,
        now: datetime,
        base: Path | None,
        *,
        exact: bool,
    ) -> None:
        self.graph, self.domain, self.base = graph, domain, base
        self.received_by, self.now = received_by, now
        self.exact = exact or received_by is not None
        self.as_of = micros(received_by or now)
        self.writer = SnapshotWriter(directory)
        self.kind_of = {s.relationship: n for n, s in enumerate(domain.events.values())}

    def take(self, cut: Cut) -> None:
        """Read what lies at or below `cut`. Raises SnapshotError where the base does not fit."""
        self.cut, self.offsets = cut, dict(cut.offsets)
        self.found = 0
        self.members: list[tuple[str, int, int, int]] = []
        items, self.encoder = read_items(self.graph, self.domain)
        self.item_rows = {item: row for row, item in enumerate(items["id"].to_pylist())}
        people = People(self.graph, self.domain)
        self.writer.write("users", people.users)
        self.writer.write("items", items)
        self.writer.write_batches("events", EVENTS, self._events(people))
        for name, table in read_edges(self.graph, self.domain, people.rows, self.item_rows).items():
            self.writer.write(f"edges/{name}", table)
        columns = zip(*self.members, strict=True) if self.members else [[]] * len(MEMBERS)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, MEMBERS, strict=True)]
        self.writer.write("members", pa.Table.from_arrays(arrays, schema=MEMBERS))

    def settled(self, after: Cut) -> bool:
        """Whether the sum is what was counted, and nothing was taken back meanwhile."""
        removed = {source: after.removed.get(source) for source in self.cut.removed}
        return self.found == self.cut.events and removed == self.cut.removed

    def check(self) -> None:
        """Raise ExportError where the sum is not what was counted."""
        if self.found != self.cut.events:
            raise ExportError(
                f"{self.cut.events} events were counted up to {self.cut.offsets},"
                f" {self.found} were read; run pathlight audit"
            )

    def finish(self, **described: Any) -> Manifest:
        """Write the manifest."""
        return self.writer.finish(
            domain=self.domain.name,
            domain_hash=self.domain.digest,
            as_of=self.received_by or self.now,
            received_by=self.received_by,
            catalogue_at=self.now,
            cut=self.offsets,
            text_encoder=self.encoder,
            weight_cap=self.domain.weight_cap,
            **described,
        )

    def _events(self, people: People) -> Iterator[pa.RecordBatch]:
        earlier = EarlierSnapshot(self.base, self.domain, self.item_rows) if self.base else None
        pages = list(plan_pages(people, earlier))
        # Unless somebody writes meanwhile, all there is lies at or below the cut; who had all read
        # before the cut was taken, and has not changed since, has nothing beyond it.
        cut = self.cut if self.exact else None
        reader = HistoryReader(self.graph, self.domain, cut, self.received_by)
        read = reader.pages([member.key for member in page.asked()] for page in pages)
        for page, histories in zip(pages, read, strict=True):
            yield self._batch(page, histories, earlier)

    def _batch(
        self, page: "Page", histories: dict[str, dict[str, Any]], earlier: EarlierSnapshot | None
    ) -> pa.RecordBatch:
        parts = [self._fresh(page, histories)]
        if earlier:
            kept = [(old, page.first + n) for n, old in enumerate(page.kept) if old is not None]
            users, rows = np.array(kept, np.int32).reshape(-1, 2).T
            parts.append(earlier.events(users, rows))
            self.found += len(parts[-1][0])
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return event_batch(self.domain, columns, self.as_of)

    def _fresh(self, page: "Page", histories: dict[str, dict[str, Any]]) -> tuple[np.ndarray, ...]:
        """Arrays user, item, kind, at, value of those who were read; all are noted as members."""
        owners, own = [], []
        for row, members in enumerate(page.members, page.first):
            for member in members:
                history = histories.get(member.key)
                if page.kept[row - page.first] is not None:
                    self._note(row, member.key, member.event_count, member.removed_count)
                elif history is None:
                    self._note(row, member.key, -1, 0)
                else:
                    owners.append(row)
                    own.append(history)
                    self._account(row, history)
        sizes = [len(history["items"]) for history in own]

        def column(name: str) -> Iterator[Any]:
            return chain.from_iterable(history[name] for history in own)

        total = sum(sizes)
        try:
            item = np.fromiter(map(self.item_rows.__getitem__, column("items")), np.int32, total)
        except KeyError:
            raise SnapshotError("an event's item is not in the catalogue") from None
        return (
            np.repeat(np.array(owners, np.int32), sizes),
            item,
            np.fromiter(map(self.kind_of.__getitem__, column("types")), np.int8, total),
            np.fromiter(column("times"), np.int64, total),
            np.fromiter(column("values"), np.float64, total),
        )

    def _account(self, row: int, history: dict[str, Any]) -> None:
        late = list(zip(history.get("late_sources", ()), history.get("late_seqs", ()), strict=True))
        for source, seq in late:
            self.offsets[source] = min(self.offsets[source], seq - 1)
        self.found += len(history["items"]) + len(late)
        complete = len(history["items"]) == history["event_count"]
        count = history["event_count"] if complete else -1
        self._note(row, history["key"], count, history["removed_count"])

    def _note(self, row: int, key: str, event_count: int, removed_count: int) -> None:
        self.members.append((key, row, event_count, removed_count))


@dataclass(frozen=True)
class Page:
    """Users in a row from `first` on: the members of each, and which user of the base each was."""

    first: int
    members: list[list[Member]] = field(default_factory=list)
    kept: list[int | None] = field(default_factory=list)

    def asked(self) -> list[Member]:
        """Whose events are read from the graph."""
        return [
            m
            for group, old in zip(self.members, self.kept, strict=True)
            if old is None
            for m in group
        ]


def plan_pages(people: People, earlier: EarlierSnapshot | None) -> Iterator[Page]:
    """All users in pages of about PAGE_EVENTS events."""
    page, events = Page(0), 0
    for row, members in enumerate(people.members):
        page.members.append(members)
        page.kept.append(earlier.unchanged(members) if earlier else None)
        events += sum(member.event_count for member in members)
        if events >= PAGE_EVENTS or len(page.members) >= PAGE_PEOPLE:
            yield page
            page, events = Page(row + 1), 0
    if page.members:
        yield page


def event_batch(domain: Domain, columns: list[np.ndarray], as_of: int) -> pa.RecordBatch:
    """Whole users' events (user, item, kind, at, value) in EVENTS' order and form, weighed."""
    order = np.lexsort((columns[4], columns[2], columns[1], columns[3], columns[0]))
    user, item, kind, at, value = (column[order] for column in columns)
    weight = event_weights(domain.events, kind, value, at, as_of)
    pair = user.astype(np.int64) << 32 | item
    weight = counted(domain.events, pair, kind, at, weight)
    seen = np.array([spec.seen for spec in domain.events.values()])[kind]
    arrays = [
        pa.array(user),
        pa.array(item),
        pa.DictionaryArray.from_arrays(pa.array(kind), list(domain.events)),
        pa.array(at).cast(EVENTS.field("at").type),
        pa.array(value, mask=np.isnan(value)),
        pa.array(weight.astype(np.float32)),
        pa.array(seen),
    ]
    return pa.record_batch(arrays, schema=EVENTS)
