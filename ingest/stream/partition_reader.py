"""One partition from the stream into the graph, in order, each row once.

A batch is one transaction of the graph: the rows and the offset together. A stream that is not the
one that was read (emptied, or put back from an older file) is read again from its start. A row that
the graph cannot take is found by halving and put aside with its reason. It knows nothing of who
holds which partition.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError, LeaseLostError
from graphdb.events.event_row import EventRow
from graphdb.events.events import EventReport, save_events
from graphdb.events.partitions import (
    Held,
    begin_epoch,
    release_partition,
    renew_partition,
)
from graphdb.events.prepared import prepare_events
from ingest.stream.dead_letters import DeadLetter, DeadLetters, as_sent, letter_of
from ingest.stream.fail_points import reach
from ingest.stream.served import ServedLists
from ingest.stream.stream import Chunk, EventStream, Place, StreamUnavailableError

log = logging.getLogger(__name__)

BATCH = 2000
SMALLEST_BATCH = 50
TRIES = 3
IDLE_S = 1.0
LONGEST_PAUSE_S = 5.0
NOT_NOW = (GraphUnavailableError, StreamUnavailableError)

Placed = tuple[Place, EventRow]


@dataclass(frozen=True)
class Terms:
    """lease_s: seconds for which a partition is held; keep_rows: rows of a partition that stay in
    the stream after they were written."""

    lease_s: float = 5.0
    keep_rows: int = 50_000


class PartitionReader:
    """Reads the partition in `held` until `stopping` is set or another holds it.

    `writing` is shared by the readers of a process: their partitions have items in common, and two
    transactions at once would wait for each other's locks, or be ended as a deadlock.
    """

    def __init__(
        self,
        graph: Graph,
        domain: Domain,
        stream: EventStream,
        letters: DeadLetters,
        held: Held,
        terms: Terms,
        stopping: threading.Event,
        writing: threading.Lock,
    ) -> None:
        self._graph, self._domain, self._stream, self._letters = graph, domain, stream, letters
        self.held, self._terms, self._stopping = held, terms, stopping
        self._writing, self._lists = writing, ServedLists(stream)
        self._renewed = time.monotonic()
        self._batch = BATCH
        self._failures = 0

    def run(self) -> None:
        """Step after step; what is down is waited for."""
        wrong = ""
        while not self._stopping.is_set():
            try:
                self.step()
                self._failures, now_wrong = 0, ""
            except LeaseLostError as error:
                log.warning("%s", error)
                return
            except NOT_NOW as error:
                # Perhaps it was the batch that was too much for the graph.
                self._batch = max(SMALLEST_BATCH, self._batch // 2)
                now_wrong = str(error)
            except Exception as error:
                # Without its words: they may name people.
                now_wrong = f"an error of ours: {type(error).__name__}"
            if now_wrong != wrong:
                log.warning("partition %d: %s", self.held.partition, now_wrong or "goes on")
                wrong = now_wrong
            if wrong:
                self._failures += 1
                self._stopping.wait(min(LONGEST_PAUSE_S, 0.1 * 2**self._failures))
        self._release()

    def step(self) -> int:
        """Write what is there, or wait a moment for something; returns how many rows were read."""
        self._renew()
        batch = self._read()
        if not batch:
            idle = min(IDLE_S, self._terms.lease_s / 3)
            self._stream.await_rows(self.held.partition, self.held.offset, idle)
            return 0
        reach("consumer.read")
        # What was shown before what came of it.
        named = (row["recommendation_id"] for _, row in batch)
        self._lists.write(self._graph, (id for id in named if id is not None))
        self._write(batch, TRIES)
        self._batch = min(BATCH, self._batch * 2)
        return len(batch)

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._renewed > self._terms.lease_s / 3:
            renew_partition(self._graph, self.held, self._terms.lease_s)
            self._renewed = now

    def _release(self) -> None:
        try:
            release_partition(self._graph, self.held)
        except GraphUnavailableError as error:
            log.warning("partition %d was not released: %s", self.held.partition, error)

    def _read(self) -> list[Placed]:
        """The rows that follow the offset; none as well when a new epoch has begun."""
        held = self.held
        chunks = self._chunks()
        if held.offset >= 0:
            at = chunks[0] if chunks else None
            if at is None or at.token != held.token or not at.first <= held.offset <= at.last:
                self.held = begin_epoch(self._graph, held)
                reach("consumer.epoch")
                log.warning(
                    "partition %d: the stream is not the one that was read; epoch %d begins",
                    held.partition,
                    self.held.epoch,
                )
                return []
        self._note_gaps(chunks)
        placed = [
            (Place(chunk.partition, chunk.first + n, chunk.token), row)
            for chunk in chunks
            for n, row in enumerate(chunk.rows)
            if chunk.first + n > held.offset
        ]
        return placed[: self._batch]

    def _chunks(self) -> list[Chunk]:
        """Chunks from the one at the offset on, with a batch of rows in them if there are so many.

        Few at first: a chunk may hold one row or hundreds.
        """
        chunks: list[Chunk] = []
        count, number, rows = 5, self.held.offset, -1
        while rows < self._batch:
            more = self._stream.read(self.held.partition, number, count)
            chunks += more
            if len(more) < count:
                break
            rows = chunks[-1].last - max(self.held.offset, chunks[0].first - 1)
            number, count = chunks[-1].last + 1, count * 4
        return chunks

    def _note_gaps(self, chunks: list[Chunk]) -> None:
        held = self.held
        # What an earlier epoch has written may have been given up since.
        expected = chunks[0].first if chunks and (held.offset >= 0 or held.epoch > 1) else 1
        for chunk in chunks:
            if chunk.first > expected and chunk.last > held.offset:
                log.warning(
                    "partition %d: the rows %d to %d are not in the stream",
                    *(held.partition, expected, chunk.first - 1),
                )
            expected = chunk.last + 1

    def _write(self, batch: Sequence[Placed], tries: int) -> None:
        """Write rows with the offset; what the graph refuses is halved until the bad row is
        found."""
        for attempt in range(tries):
            try:
                self._save(batch)
                return
            except (*NOT_NOW, LeaseLostError):
                raise
            except Exception as error:
                refused = error
                self._stopping.wait(0.1 * attempt)
        if len(batch) == 1:
            self._bury(batch, "poison", f"{type(refused).__name__}: {refused}"[:500])
            reach("consumer.buried")
            self._save([], batch[-1][0], {"dead_letters": 1})
            return
        half = len(batch) // 2
        for part in (batch[:half], batch[half:]):
            self._write(part, TRIES if len(part) == 1 else 1)

    def _save(
        self,
        batch: Sequence[Placed],
        last: Place | None = None,
        counts: dict[str, int] | None = None,
    ) -> None:
        last = last or batch[-1][0]
        prepared = prepare_events(self._domain, [row for _, row in batch])
        with self._writing:
            report = save_events(
                self._graph,
                self._domain,
                self.held.source,
                prepared,
                seqs=[place.seq for place, _ in batch],
                offset=last.seq,
                token=last.token,
                fence=self.held.fence,
                displace=True,
                before_commit=lambda judged: self._bury_conflicts(batch, judged),
            )
        reach("consumer.saved")
        self.held = replace(self.held, offset=last.seq, token=last.token)
        told = {
            "written": report.accepted,
            "duplicates": len(report.duplicates),
            "dropped": len(report.dropped),
            "dead_letters": len(report.conflicts) + len(report.displaced),
            "conflicts": len(report.conflicts) + len(report.displaced),
        }
        told |= counts or {}
        self._stream.advance(last.partition, last.seq, last.token, self._terms.keep_rows, told)
        reach("consumer.trimmed")

    def _bury_conflicts(self, batch: Sequence[Placed], judged: EventReport) -> None:
        # Before the commit: afterwards nobody would come by here again.
        conflicts = [batch[n] for n in judged.conflicts]
        self._bury(conflicts, "conflict", "the graph has this type and id with other content")
        detail = "an event of this type and id with other content was received before"
        now = datetime.now(UTC)
        self._letters.put(
            [letter_of(r, "conflict", detail, "graph", now) for r in judged.displaced]
        )
        if conflicts or judged.displaced:
            reach("consumer.conflicts")
        reach("consumer.written")

    def _bury(self, batch: Sequence[Placed], reason: str, detail: str) -> None:
        now = datetime.now(UTC).isoformat()
        self._letters.put(
            [
                DeadLetter(place.name, as_sent(row), reason, detail, self.held.source, now)
                for place, row in batch
            ]
        )
