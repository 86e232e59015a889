"""Random schedules of events, duplicates, retractions, crashes, take-overs and replays, each held
against a model of ten lines: nothing that was kept is lost, nothing counts twice."""

import json
import random
import signal
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from graphdb.errors import LeaseLostError
from graphdb.events.event_row import EventRow, event_digest
from graphdb.events.partitions import claim_partition, list_partitions, open_partitions
from graphdb.events.retraction import retract_event
from graphdb.local.processes import wait_until
from graphdb.people.tombstones import event_mark, set_tombstone
from ingest.stream.dead_letters import DeadLetters, as_sent
from ingest.stream.fail_points import VARIABLE, failing
from ingest.stream.partition_reader import PartitionReader, Terms
from ingest.stream.stream import EventStream
from tests.api.conftest import consumer_on
from tests.ingest.conftest import until_written, written
from tests.model import Key, Rank, expected, stored
from tests.rows import NOON, event_row

pytestmark = pytest.mark.faults

SEED = 20261121
SCHEDULES = 200
PARTITIONS = 2
PEOPLE = ("ann", "bob", "anonymous:a", "anonymous:b")
PLACES = ("read", "conflicts", "written", "saved", "buried", "trimmed", "epoch")
UNLOCKED = ("read", "saved", "buried", "trimmed", "epoch")
"""Where a batch holds no locks in the graph, which another would wait for."""
ROWS_A_BATCH = 4


class DiedError(BaseException):
    """In place of a kill, within this process."""


def row(id: int, kind: str, person: str, item: int, received: int, ahead: bool) -> EventRow:
    """Few ids and times, so that duplicates, conflicts and ties are the rule."""
    moment = NOON + timedelta(minutes=received)
    occurred = NOON + timedelta(hours=2) if ahead else NOON
    given = {"occurred_at": occurred, "at": min(occurred, moment), "received_at": moment}
    return event_row(person, str(item), event_id=str(id), event_type=kind, **given)


KEYS = st.tuples(st.sampled_from(["rated", "watched"]), st.integers(0, 5).map(str))
ROWS = st.builds(
    row,
    st.integers(0, 5),
    st.sampled_from(["rated", "rated", "watched", "unheard_of"]),
    st.sampled_from(PEOPLE),
    st.integers(0, 1),
    st.integers(0, 3),
    st.booleans(),
)
PARTITION = st.integers(0, PARTITIONS - 1)
STEPS = st.one_of(
    st.tuples(st.just("append"), st.lists(ROWS, min_size=1, max_size=8)),
    st.tuples(st.just("append"), st.lists(ROWS, min_size=1, max_size=8)),
    st.tuples(st.just("read"), PARTITION),
    st.tuples(st.just("die"), PARTITION, st.sampled_from(PLACES), st.integers(1, 2)),
    st.tuples(st.just("die"), PARTITION, st.sampled_from(PLACES), st.integers(1, 2)),
    st.tuples(st.just("overtake"), PARTITION, st.sampled_from(UNLOCKED)),
    st.tuples(st.just("retract"), KEYS),
    st.tuples(st.just("retract_meanwhile"), PARTITION, KEYS, st.sampled_from(PLACES)),
    st.tuples(st.just("retract_cut_short"), KEYS),
    st.tuples(st.just("remember")),
    st.tuples(st.just("lose"), st.booleans()),
)


class Schedule:
    """One run: what was sent and taken back, and the real parts that it goes through."""

    def __init__(self, graph, domain, stream: EventStream, letters: DeadLetters) -> None:
        self.graph, self.domain, self.stream, self.letters = graph, domain, stream, letters
        self.sent: list[EventRow] = []
        self.taken_back: set[Key] = set()
        self.asked: set[Key] = set()
        self.file: dict[bytes, bytes] = {}
        self.in_file, self.lost = 0, False

    def append(self, rows: list[EventRow]) -> None:
        self.stream.append(rows)
        self.sent += rows

    def claim(self, partition: int) -> PartitionReader:
        """A reader whose lease has run out already: whoever comes next takes over."""
        sources = {r["partition"]: r["source"] for r in list_partitions(self.graph)}
        held = claim_partition(self.graph, sources[partition], "reader", 0)
        assert held
        stopped, writing = threading.Event(), threading.Lock()
        stopped.set()  # what waits between two attempts does not
        parts = (self.graph, self.domain, self.stream, self.letters, held, Terms(60, 5))
        reader = PartitionReader(*parts, stopped, writing)
        reader._batch = ROWS_A_BATCH
        return reader

    def behind(self, reader: PartitionReader) -> bool:
        """Whether the stream's last chunk is another than the reader's last."""
        partition, backlog = reader.held.partition, self.stream.backlog()
        last = backlog[partition].appended if backlog else 0
        chunks = self.stream.read(partition, last, 1) if last else []
        return bool(chunks) and (last, chunks[0].token) != (reader.held.offset, reader.held.token)

    def drain(self, reader: PartitionReader) -> None:
        while self.behind(reader):
            reader.step()

    def read(self, partition: int) -> None:
        reader = self.claim(partition)
        if self.behind(reader):
            reader.step()

    def die(self, partition: int, place: str, count: int) -> None:
        left = iter(range(count - 1))

        def hook(reached: str) -> None:
            if reached == f"consumer.{place}" and next(left, None) is None:
                raise DiedError

        with failing(hook), suppress(DiedError):
            self.drain(self.claim(partition))

    def overtake(self, partition: int, place: str) -> None:
        """Another reads everything while this one stands still at a place, and then goes on."""
        first, others = self.claim(partition), []

        def hook(reached: str) -> None:
            if reached == f"consumer.{place}" and not others:
                others.append(self.claim(partition))
                self.drain(others[0])

        with failing(hook), suppress(LeaseLostError):
            self.drain(first)

    def retract(self, key: Key) -> None:
        retract_event(self.graph, self.domain, *key)
        self.taken_back.add(key)

    def retract_meanwhile(self, partition: int, key: Key, place: str) -> None:
        thread = threading.Thread(target=self.retract, args=(key,))

        def hook(reached: str) -> None:
            if reached == f"consumer.{place}" and not thread.ident:
                thread.start()

        with failing(hook):
            self.drain(self.claim(partition))
        if not thread.ident:
            thread.start()
        thread.join()

    def retract_cut_short(self, key: Key) -> None:
        """Whoever asked has no answer, and asks again in the end."""
        self.graph.transaction(lambda tx: set_tombstone(tx, event_mark(*key)))
        self.asked.add(key)

    def remember(self) -> None:
        redis = self.stream.redis
        self.file = {key: redis.dump(key) for key in redis.scan_iter()}
        self.in_file = len(self.sent)

    def lose(self, everything: bool) -> None:
        """The stream is emptied, or put back from an older file; what it had is sent again."""
        self.stream.redis.flushdb()
        for key, value in () if everything else self.file.items():
            self.stream.redis.restore(key, 0, value)
        self.stream.append(self.sent[0 if everything else self.in_file :])
        self.lost = True

    def end(self) -> None:
        for partition in range(PARTITIONS):
            self.drain(self.claim(partition))
        for key in sorted(self.asked - self.taken_back):
            self.retract(key)

    def check(self) -> None:
        there = stored(self.graph, self.domain)
        known = [row for row in self.sent if row["event_type"] in self.domain.events]
        assert there == expected(known, self.taken_back)
        if not self.lost:
            aside = {_told(letter.row) for letter in self.letters.list_letters()}
            assert {
                _told(as_sent(row)) for row in self.sent if self._is_refused(row, there)
            } <= aside

    def _is_refused(self, row: EventRow, there: dict[Key, Rank]) -> bool:
        """Whether the graph has not its content, and nobody took it back: then it is put aside."""
        key = (row["event_type"], row["event_id"])
        _, digest = there.get(key, (0, ""))
        return key not in self.taken_back and digest != event_digest(row)


def _told(row: Mapping[str, Any]) -> str:
    return json.dumps(row, sort_keys=True)


@pytest.fixture
def stream(patient_stream: EventStream) -> EventStream:
    """In place of the others'."""
    return patient_stream


def test_any_schedule_ends_in_what_the_model_says(graph, domain, stream, letters):
    print("seed", SEED)

    @seed(SEED)
    @settings(
        max_examples=SCHEDULES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=st.lists(STEPS, min_size=3, max_size=7))
    def run(steps: list[tuple]) -> None:
        note("\n".join(map(str, steps)))
        graph.write("MATCH (n) DETACH DELETE n")
        stream.redis.flushdb()
        open_partitions(graph, PARTITIONS)
        schedule = Schedule(graph, domain, stream, letters)
        for name, *told in steps:
            getattr(schedule, name)(*told)
        schedule.end()
        schedule.check()

    run()


KILLS = 10
KILLED_AT = ("claimed", "read", "conflicts", "written", "saved", "buried", "trimmed")


def random_rows(rng: random.Random, count: int) -> list[EventRow]:
    """The last is refused by the graph."""
    kinds = [rng.choice(["rated", "rated", "watched"]) for _ in range(count - 1)]
    return [
        row(
            rng.randrange(40),
            kind,
            rng.choice(PEOPLE),
            rng.randrange(9),
            rng.randrange(4),
            not n % 5,
        )
        for n, kind in enumerate([*kinds, "unheard_of"])
    ]


@pytest.mark.parametrize("number", range(KILLS))
def test_a_consumer_that_is_killed_anywhere_loses_and_doubles_nothing(
    graph, neo4j_address, redis_url, domain, stream, letters, consuming, tmp_path, number
):
    """Killed by itself between two steps, or from outside at any moment; events come meanwhile."""
    print("seed", SEED + number)
    rng = random.Random(SEED + number)
    schedule = Schedule(graph, domain, stream, letters)
    told = {"PATHLIGHT_STREAM_LEASE_S": "1"}
    if from_outside := number % 3 == 0:
        moment = rng.randrange(4)
    else:
        told[VARIABLE] = f"consumer.{rng.choice(KILLED_AT)}:{rng.randint(1, 3)}"
    schedule.append(random_rows(rng, 60))
    with consumer_on(neo4j_address, tmp_path, redis_url, **told) as process:
        assert wait_until(lambda: process.poll() or any(offsets(graph)), 60, 0.02)
        for n in range(4):
            schedule.append(random_rows(rng, 20)[: rng.randrange(10, 21)])
            schedule.retract((rng.choice(["rated", "watched"]), str(rng.randrange(40))))
            if from_outside and n == moment:
                process.kill()
        assert wait_until(lambda: process.poll() or written(graph, stream), 60, 0.02)
        process.kill()
        assert process.wait(60) == -signal.SIGKILL
    with consuming(terms=Terms(1, 5)):
        until_written(graph, stream)
    schedule.check()


def offsets(graph) -> list[bool]:
    return [row["offset"] >= 0 for row in list_partitions(graph)]
