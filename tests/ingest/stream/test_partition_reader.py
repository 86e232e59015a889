"""A partition into the graph: in order, once, whatever is refused, lost or put back meanwhile."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from graphdb.connection import Graph
from graphdb.errors import GraphUnavailableError, LeaseLostError
from graphdb.events.partitions import claim_partition, list_partitions, open_partitions
from ingest.stream import partition_reader
from ingest.stream.fail_points import failing
from ingest.stream.partition_reader import PartitionReader, Terms
from ingest.stream.stream import partition_of
from tests.cutting_proxy import cutting_proxy
from tests.rows import NOON, event_row

pytestmark = pytest.mark.faults

ALL = "MATCH (:User)-[r]->(:Item) RETURN r.event_id AS id, r.value AS value, r.source AS source"
ADDED = "MATCH (s:Source) RETURN sum(s.events) AS n"
PERSON = "ann"
LATER = {"received_at": NOON + timedelta(days=2)}
PARTITION = partition_of(PERSON, 4)


def rows(count: int, start: int = 0, **given):
    return [
        event_row(PERSON, str(n % 40), n, event_id=str(n), **given)
        for n in range(start, start + count)
    ]


@pytest.fixture
def claim(graph, domain, stream, letters) -> Callable[..., PartitionReader]:
    """A reader of the one partition that these tests use."""
    open_partitions(graph, 4)

    def hold(lease: float = 60, over: Graph | None = None, keep: int = 1000) -> PartitionReader:
        (source,) = [r["source"] for r in list_partitions(graph) if r["partition"] == PARTITION]
        held = claim_partition(graph, source, "me", lease)
        assert held
        terms = Terms(lease, keep)
        return PartitionReader(
            over or graph, domain, stream, letters, held, terms, threading.Event(), threading.Lock()
        )

    return hold


def drain(reader: PartitionReader, stream) -> None:
    while reader.held.offset < stream.backlog()[PARTITION].appended:
        reader.step()


def stored(graph) -> dict[str, float | None]:
    found = graph.read(ALL)
    assert graph.read(ADDED) == [{"n": len(found)}]
    assert len({row["id"] for row in found}) == len(found)
    return {row["id"]: row["value"] for row in found}


def test_rows_are_written_with_the_offset_and_given_up_behind_it(graph, stream, claim):
    for start in range(0, 5000, 1000):
        stream.append(rows(1000, start))
    reader = claim(keep=1000)

    drain(reader, stream)

    assert set(stored(graph)) == {str(n) for n in range(5000)}
    assert (reader.held.offset, stream.backlog()[PARTITION].done) == (5000, 5000)
    assert stream.read(PARTITION, 0, 1)[0].first in range(3501, 4001)


def test_rows_that_the_graph_refuses_are_found_and_put_aside(graph, stream, claim, letters):
    bad = {7, 400, 401, 799}
    sent = rows(800)
    for n in bad:
        sent[n] = event_row(PERSON, "1", n, event_id=str(n), event_type="unheard_of")
    stream.append(sent)

    drain(claim(), stream)

    assert set(stored(graph)) == {str(n) for n in range(800) if n not in bad}
    found = letters.list_letters()
    assert sorted(int(letter.row["event_id"]) for letter in found) == sorted(bad)
    assert {letter.reason for letter in found} == {"poison"}
    assert "KeyError" in found[0].detail
    assert stream.counts() == {"written": 796, "dead_letters": 4}


def test_a_conflict_is_put_aside_and_its_neighbours_go_in(graph, stream, claim, letters):
    stream.append(rows(10))
    stream.append([*rows(3, value=5.0, **LATER), *rows(5, 8)])

    drain(claim(), stream)

    assert stored(graph) == {str(n): None for n in range(13)}
    found = letters.list_letters()
    assert [(x.reason, x.row["event_id"], x.row["value"]) for x in found] == [
        ("conflict", str(n), 5.0) for n in range(3)
    ]
    assert stream.counts() == {
        "written": 13,
        "duplicates": 2,
        "conflicts": 3,
        "dead_letters": 3,
    }


def test_a_full_store_of_dead_letters_stops_the_partition_rather_than_lose_a_row(
    graph, stream, claim, letters
):
    letters._most = 0
    stream.append([*rows(1), *rows(1, value=1.0, **LATER)])
    reader = claim()

    with pytest.raises(partition_reader.StreamUnavailableError, match="replay or drop some"):
        reader.step()
    assert stored(graph) == {}
    letters._most = 1
    drain(reader, stream)

    assert (stored(graph), letters.count()) == ({"0": None}, 1)


class DiedError(BaseException):
    """In place of a kill, within this process."""


PLACES = ("read", "conflicts", "written", "saved", "buried", "trimmed")


@pytest.mark.parametrize("place", PLACES)
def test_a_reader_that_dies_anywhere_is_followed_by_one_that_ends_the_same(
    graph, stream, claim, letters, place
):
    stream.append(
        [
            *rows(20),
            event_row(PERSON, "1", event_type="unheard_of"),
            *rows(5),
            *rows(2, value=1.0, **LATER),
        ]
    )
    stream.append(rows(20, 20))

    def die(reached: str) -> None:
        if reached == f"consumer.{place}":
            raise DiedError

    with failing(die), pytest.raises(DiedError):
        drain(claim(lease=0), stream)
    drain(claim(), stream)

    assert stored(graph) == {str(n): None for n in range(40)}
    assert sorted(x.reason for x in letters.list_letters()) == ["conflict", "conflict", "poison"]


def test_an_unknown_outcome_of_a_commit_is_no_outcome_twice(
    graph, neo4j_address, stream, claim, letters
):
    with (
        cutting_proxy(neo4j_address.uri) as proxy,
        Graph(proxy.uri, neo4j_address.password, user=neo4j_address.user) as cut,
    ):
        stream.append(rows(500))
        reader = claim(over=cut)
        proxy.cuts = 1
        with pytest.raises(GraphUnavailableError):
            reader.step()
        committed = stored(graph)
        stream.append(rows(500, 250))
        drain(reader, stream)

    assert (proxy.cut, len(committed)) == (1, 500)
    assert stored(graph) == {str(n): None for n in range(750)}
    assert letters.count() == 0


def test_a_reader_that_was_taken_for_dead_writes_nothing(graph, stream, claim):
    stream.append(rows(10))
    first, second = claim(lease=0), claim()

    with pytest.raises(LeaseLostError):
        first.step()
    drain(second, stream)

    assert len(stored(graph)) == 10


def test_an_emptied_stream_is_a_new_epoch_and_nothing_appended_since_is_skipped(
    graph, stream, claim
):
    stream.append(rows(100))
    reader = claim()
    drain(reader, stream)
    stream.redis.flushdb()
    stream.append(rows(30, 90))

    reader.step()
    drain(reader, stream)

    assert (reader.held.source, reader.held.offset) == (f"stream:2:{PARTITION}", 30)
    assert set(stored(graph)) == {str(n) for n in range(120)}


@pytest.mark.parametrize("more", [10, 60, 200])
def test_an_older_stream_put_back_is_read_again_from_its_start(graph, stream, claim, more):
    stream.append(rows(100))
    dump = {key: stream.redis.dump(key) for key in stream.redis.scan_iter()}
    stream.append(rows(50, 100))
    reader = claim()
    drain(reader, stream)
    stream.redis.flushdb()
    for key, value in dump.items():
        stream.redis.restore(key, 0, value)
    stream.append(rows(more, 1000))

    reader.step()
    drain(reader, stream)

    assert reader.held.epoch == 2
    assert set(stored(graph)) == {str(n) for n in [*range(150), *range(1000, 1000 + more)]}


def test_a_graph_that_was_emptied_is_written_again_from_what_is_kept(graph, stream, claim):
    stream.append(rows(300))
    drain(claim(), stream)
    graph.write("MATCH (n) WHERE n:User OR n:Item OR n:Source DETACH DELETE n")
    open_partitions(graph, 4)

    drain(claim(), stream)

    assert len(stored(graph)) == 300
