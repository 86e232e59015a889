"""A stream on the run's Redis, empty, and readers of it in this process."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest

from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.events.partitions import list_partitions
from graphdb.local.processes import wait_until
from ingest.stream.consumer import Consumer
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.partition_reader import Terms
from ingest.stream.stream import EventStream

WRITTEN_S = 60
TERMS = Terms(lease_s=2, keep_rows=100)


@pytest.fixture
def stream(redis_url: str) -> Iterator[EventStream]:
    """Empty, with four partitions."""
    stream = EventStream(redis_url)
    stream.redis.flushdb()
    yield stream
    stream.close()


@pytest.fixture
def patient_stream(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[EventStream]:
    """Empty, of two partitions, and not in a hurry: it is not about a Redis that is slow."""
    monkeypatch.setattr("ingest.stream.stream.SOCKET_S", 30)
    stream = EventStream(redis_url, 2)
    stream.redis.flushdb()
    yield stream
    stream.close()


@pytest.fixture
def letters(stream: EventStream) -> DeadLetters:
    return DeadLetters(stream, 1000)


@pytest.fixture
def consuming(graph: Graph, domain: Domain, stream: EventStream, letters: DeadLetters) -> Callable:
    """A block in which a consumer of that name runs, as a thread."""

    @contextmanager
    def run(name: str = "one", terms: Terms = TERMS) -> Generator[Consumer]:
        stopping = threading.Event()
        consumer = Consumer(graph, domain, stream, letters, name, terms)
        thread = threading.Thread(target=consumer.run, args=(stopping,))
        thread.start()
        try:
            yield consumer
        finally:
            stopping.set()
            thread.join()

    return run


def written(graph: Graph, stream: EventStream) -> bool:
    """Whether the graph has everything that was appended."""
    offsets = {row["partition"]: row["offset"] for row in list_partitions(graph)}
    return all(
        offsets.get(p, -1) >= backlog.appended
        for p, backlog in enumerate(stream.backlog())
        if backlog.appended
    )


def until_written(graph: Graph, stream: EventStream) -> None:
    assert wait_until(lambda: written(graph, stream), WRITTEN_S, 0.05), stream.backlog()
