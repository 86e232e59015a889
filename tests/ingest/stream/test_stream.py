"""The stream on a real Redis: dense numbers, all of a request or nothing, and what it refuses."""

import os
import random
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.local.redis_server import LocalRedis, redis_uri
from graphdb.local.processes import is_alive, wait_until
from ingest.stream.stream import EventStream, StreamFullError, StreamUnavailableError, partition_of
from tests.rows import event_row


def rows(count: int, people: int = 20, start: int = 0):
    return [
        event_row(f"u{n % people}", str(n), n, event_id=str(n)) for n in range(start, start + count)
    ]


def everything(stream: EventStream) -> dict[int, list]:
    """Rows of each partition with their numbers."""
    return {
        p: [
            (chunk.first + n, row)
            for chunk in stream.read(p, 0, 10_000)
            for n, row in enumerate(chunk.rows)
        ]
        for p in range(stream.partitions())
    }


def test_rows_come_back_as_they_were_in_dense_numbers(stream):
    first, second = rows(1700), rows(3, start=5000)

    places = stream.append(first) + stream.append(second)

    kept = everything(stream)
    for row, place in zip(first + second, places, strict=True):
        assert place.partition == partition_of(row["user_id"], 4)
        assert kept[place.partition][place.seq - 1] == (place.seq, row)
    assert sum(map(len, kept.values())) == 1703
    assert [b.appended for b in stream.backlog()] == [len(kept[p]) for p in range(4)]


def test_sixteen_writers_number_every_row_once(stream):
    batches = [rows(40, start=1000 * n) for n in range(64)]

    with ThreadPoolExecutor(16) as pool:
        places = [p for placed in pool.map(stream.append, batches) for p in placed]

    assert len({(p.partition, p.seq) for p in places}) == 64 * 40
    for numbered in everything(stream).values():
        assert [n for n, _ in numbered] == list(range(1, len(numbered) + 1))


def test_the_number_of_partitions_is_that_of_the_first(stream, redis_url):
    stream.append(rows(5))
    other = EventStream(redis_url, partitions=7)

    places = other.append(rows(50))
    other.close()

    assert other.partitions() == 4
    assert {p.partition for p in places} <= set(range(4))


def test_a_reader_is_given_the_chunk_its_number_stands_in(stream):
    places = stream.append(rows(100, people=1))
    partition = places[0].partition
    more = stream.append(rows(1, people=1, start=200))

    (chunk,) = stream.read(partition, 40, 1)
    after = stream.read(partition, 101, 9)

    assert (chunk.first, chunk.last, chunk.token) == (1, 100, places[0].token)
    assert [(c.first, c.token) for c in after] == [(101, more[0].token)]


def test_what_was_written_is_given_up_beyond_what_is_kept(stream):
    for n in range(10):
        places = stream.append(rows(10, people=1, start=10 * n))
    partition, token = places[0].partition, places[0].token

    assert stream.advance(partition, 100, token, 25, {"written": 100})

    assert [c.last for c in stream.read(partition, 0, 99)] == [80, 90, 100]
    assert stream.backlog()[partition].done == 100
    assert stream.advance(partition, 100, token, 0, {})
    assert [c.last for c in stream.read(partition, 0, 99)] == [100]
    assert stream.counts() == {"written": 100}


def test_nothing_is_given_up_of_a_stream_that_began_again(stream):
    token = stream.append(rows(100, people=1))[0].token
    stream.redis.flushdb()
    place = stream.append(rows(100, people=1, start=500))[0]

    assert not stream.advance(place.partition, 100, token, 0, {})

    assert [c.last for c in stream.read(place.partition, 0, 99)] == [100]


def test_more_than_may_wait_is_refused_whole(redis_url, stream):
    small = EventStream(redis_url, most_waiting=100)
    small.append(rows(90))

    with pytest.raises(StreamFullError, match="110 events wait"):
        small.append(rows(20))
    before = sum(b.appended for b in small.backlog())
    for partition, backlog in enumerate(small.backlog()):
        if backlog.appended:
            token = small.read(partition, backlog.appended, 1)[0].token
            small.advance(partition, backlog.appended, token, 0, {})
    small.append(rows(20))
    small.close()

    assert before == 90


def test_waiting_ends_with_the_first_row(stream):
    partition = partition_of("u0", stream.partitions())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(stream.await_rows, partition, 0, 5)
        time.sleep(0.2)
        begun = time.monotonic()
        stream.append(rows(1, people=1))
        waiting.result()

    assert time.monotonic() - begun < 3


def test_readers_see_each_other_while_they_live(stream):
    assert stream.meet("a", 60) == ["a"]
    assert stream.meet("b", 60) == ["a", "b"]
    assert stream.meet("c", 0.1) == ["a", "b", "c"]
    stream.leave("a")
    assert wait_until(lambda: stream.meet("b", 60) == ["b"], 10, 0.2)


@pytest.fixture
def server(tmp_path: Path):
    """A Redis of the test's own: it is killed, frozen and damaged."""
    server = LocalRedis(tmp_path / "redis")
    yield server
    if owner := server.owner():
        os.kill(owner.pid, signal.SIGCONT)
    server.stop()


def connect(server: LocalRedis) -> EventStream:
    owner, _ = server.start()
    return EventStream(redis_uri(owner.port, server.password()))


def kill(server: LocalRedis) -> None:
    owner = server.owner()
    assert owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(owner.child), 20)


def refused(stream: EventStream) -> float:
    """Seconds until an append is refused."""
    begun = time.monotonic()
    with pytest.raises(StreamUnavailableError):
        stream.append(rows(1))
    return time.monotonic() - begun


def test_what_was_acknowledged_survives_a_kill(server):
    stream = connect(server)
    stream.append(rows(500))

    kill(server)
    assert refused(stream) < 2
    server.start()

    assert wait_until(lambda: _takes(stream), 10, 0.2)
    assert sum(map(len, everything(stream).values())) == 501
    stream.close()


def _takes(stream: EventStream) -> bool:
    try:
        return bool(stream.append(rows(1, start=900)))
    except StreamUnavailableError:
        return False


def test_a_frozen_redis_is_given_up_within_two_seconds_and_then_at_once(server):
    stream = connect(server)
    stream.append(rows(1))
    owner = server.owner()
    os.kill(owner.pid, signal.SIGSTOP)

    first, second = refused(stream), refused(stream)

    os.kill(owner.pid, signal.SIGCONT)
    assert (first < 2, second < 0.5) == (True, True)
    assert wait_until(lambda: _takes(stream), 10, 0.2)
    stream.close()


def test_without_memory_a_request_is_refused_whole(server):
    stream = connect(server)
    stream.append(rows(10))
    stream.redis.config_set("maxmemory", "1mb")

    with pytest.raises(StreamUnavailableError, match="memory"):
        stream.append(rows(4000))
    stream.redis.config_set("maxmemory", "0")

    assert sum(map(len, everything(stream).values())) == 10
    stream.append(rows(4000))
    stream.close()


def test_a_file_cut_at_any_byte_has_whole_requests_and_all_that_came_before(server, tmp_path):
    stream = connect(server)
    file = next(iter([*server.root.glob("appendonly.aof"), *server.root.rglob("*.incr.aof")]))
    sizes = [file.stat().st_size]
    for n in range(30):
        stream.append(rows(7, start=100 * n))
        sizes.append(file.stat().st_size)
    stream.close()
    server.stop()
    seed = 7
    print("seed", seed)
    cuts = [*sorted(random.Random(seed).sample(range(sizes[0], sizes[-1]), 8)), sizes[15]]

    for number, cut in enumerate(cuts):
        copy = tmp_path / str(number)
        shutil.copytree(server.root, copy, ignore=shutil.ignore_patterns("owner.json", "*.lock"))
        with (copy / file.relative_to(server.root)).open("r+b") as torn:
            torn.truncate(cut)
        damaged = LocalRedis(copy)
        again = connect(damaged)
        kept = sorted(int(row["event_id"]) for p in everything(again).values() for _, row in p)
        whole = sum(size <= cut for size in sizes[1:])
        assert kept == [100 * n + k for n in range(whole) for k in range(7)], (cut, seed)
        assert len(again.append(rows(7, start=9000))) == 7
        again.close()
        damaged.stop()
