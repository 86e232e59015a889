"""Lists on their way into the graph: in one of two places at any moment, before their outcomes."""

import threading
from functools import partial

import pytest

from graphdb.answers.served import ServedRow, fetch_served
from graphdb.errors import GraphUnavailableError
from graphdb.events.events import save_events
from graphdb.events.partitions import claim_partition, list_partitions, open_partitions
from graphdb.local.processes import wait_until
from ingest.stream import served
from ingest.stream.fail_points import failing
from ingest.stream.partition_reader import PartitionReader, Terms
from ingest.stream.served import ServedLists
from ingest.stream.stream import (
    EventStream,
    StreamFullError,
    StreamUnavailableError,
    partition_of,
)
from tests.graphdb.answers.test_served import lists, outcomes, served_row
from tests.ingest.conftest import until_written
from tests.rows import event_row

pytestmark = pytest.mark.faults


@pytest.fixture
def waiting(graph, domain, stream) -> ServedLists:
    save_events(graph, domain, "api", [event_row("ann", "0")])
    return ServedLists(stream, most=1200)


class DiedError(BaseException):
    """In place of a kill, within this process."""


def not_asked(id: str) -> ServedRow | None:
    pytest.fail(f"the graph was asked for {id}")


def test_a_list_is_found_wherever_it_is_and_is_in_one_place_in_the_end(graph, waiting):
    rows = [served_row(str(n), "ann", ["1", "2"]) for n in range(1100)]
    for row in rows:
        waiting.keep(row)
    assert waiting.fetch("7", not_asked) == rows[7]
    assert (waiting.waiting(), lists(graph)) == (1100, [])

    waiting.write(graph, ["7", "8", "nowhere"])
    assert (waiting.waiting(), lists(graph)) == (1098, ["7", "8"])
    waiting.write_all(graph)
    waiting.write_all(graph)

    assert (waiting.waiting(), len(lists(graph))) == (0, 1100)
    written = partial(fetch_served, graph)
    assert waiting.fetch("7", written) == rows[7]
    assert waiting.fetch("nowhere", written) is None


def test_a_persons_lists_are_found_while_they_wait_the_newest_first(graph, waiting, monkeypatch):
    rows = [served_row(f"a{n}", "ann", [str(n)], minutes=n) for n in range(4)]
    rows += [served_row("b", "anonymous:ann", ["9"]), served_row("c", "bob", ["8"])]
    rows += [served_row("d", "", ["7"])]
    for row in reversed(rows):
        waiting.keep(row)
    monkeypatch.setattr(served, "MOST_OF_ONE", 3)

    found = waiting.list_of(["ann", "anonymous:ann", "nobody"])

    assert found == [rows[3], rows[2], rows[1], rows[4]]
    waiting.write_all(graph)
    assert waiting.list_of(["ann", "anonymous:ann", "bob", ""]) == []
    assert list(waiting._stream.redis.scan_iter(f"{served.WAITING}*")) == []


def test_more_than_may_wait_are_refused_and_no_redis_is_said(graph, waiting, stream):
    few = ServedLists(stream, most=1)
    few.keep(served_row("a", "ann", ["1"]))
    with pytest.raises(StreamFullError):
        few.keep(served_row("b", "ann", ["1"]))
    few.write_all(graph)

    nowhere = ServedLists(EventStream("redis://127.0.0.1:9"))
    with pytest.raises(StreamUnavailableError):
        nowhere.keep(served_row("b", "ann", ["1"]))
    written = partial(fetch_served, graph)
    assert nowhere.fetch("a", written) == served_row("a", "ann", ["1"])
    with pytest.raises(StreamUnavailableError):
        nowhere.fetch("b", written)


def test_one_that_the_graph_refuses_is_given_up_and_the_others_go_in(graph, waiting, monkeypatch):
    for id in ("a", "b", "c"):
        waiting.keep(served_row(id, "ann", ["1"]))
    waiting.keep(served_row("bad", "ann", [["no", "string"]]))  # ty: ignore[invalid-argument-type]

    waiting.write_all(graph)
    assert (waiting.waiting(), lists(graph)) == (0, ["a", "b", "c"])

    def away(*_):
        raise GraphUnavailableError("the graph does not answer")

    waiting.keep(served_row("d", "ann", ["1"]))
    monkeypatch.setattr(served, "save_served", away)
    with pytest.raises(GraphUnavailableError):
        waiting.write_all(graph)
    assert waiting.waiting() == 1


def test_an_event_finds_the_list_that_it_names_whoever_sends_it(
    graph, domain, stream, waiting, consuming, monkeypatch
):
    """In another partition than the list's person, and before anybody writes lists of their own
    accord."""
    monkeypatch.setattr(ServedLists, "write_all", lambda *_: None)
    waiting.keep(served_row("a", "ann", ["1", "2"]))
    waiting.keep(served_row("b", "ann", ["1", "2"]))
    stream.append(
        [event_row(f"p{n}", "2", event_id=str(n), recommendation_id="a") for n in range(9)]
    )

    with consuming():
        until_written(graph, stream)

    assert [row[:2] for row in outcomes(graph)] == [(f"p{n}", "a") for n in range(9)]
    assert (lists(graph), waiting.waiting()) == (["a"], 1)


def test_lists_that_no_event_names_are_written_as_well(graph, waiting, consuming):
    waiting.keep(served_row("a", "ann", ["1", "2"]))

    with consuming():
        assert wait_until(lambda: fetch_served(graph, "a") is not None, 30)


@pytest.mark.parametrize("place", ["served.written", "consumer.written", "consumer.saved"])
def test_a_reader_that_dies_on_the_way_leaves_each_outcome_once(
    graph, domain, stream, waiting, letters, place
):
    partition = partition_of("ann", stream.partitions())
    open_partitions(graph, stream.partitions())
    (source,) = [row["source"] for row in list_partitions(graph) if row["partition"] == partition]
    waiting.keep(served_row("a", "ann", ["1", "2"]))
    stream.append([event_row("ann", "2", event_id="1", recommendation_id="a")])

    def step() -> None:
        held = claim_partition(graph, source, "me", 0)
        assert held
        stopped, writing = threading.Event(), threading.Lock()
        parts = (graph, domain, stream, letters, held, Terms(60, 5))
        PartitionReader(*parts, stopped, writing).step()

    def die(reached: str) -> None:
        if reached == place:
            raise DiedError

    with failing(die), pytest.raises(DiedError):
        step()
    step()

    assert outcomes(graph) == [("ann", "a", "RATED", "1", "2", 2)]
    assert (lists(graph), waiting.waiting()) == (["a"], 0)
