"""Partitions in the graph: one holder at a time, and a new source when the stream began again."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.errors import LeaseLostError
from graphdb.events.events import save_events
from graphdb.events.partitions import (
    begin_epoch,
    claim_partition,
    list_partitions,
    open_partitions,
    release_partition,
    renew_partition,
)
from tests.rows import event_row


def test_partitions_are_opened_once(graph):
    open_partitions(graph, 3)
    open_partitions(graph, 3)

    rows = list_partitions(graph)

    assert [(r["partition"], r["source"], r["offset"], r["owner"]) for r in rows] == [
        (p, f"stream:1:{p}", -1, None) for p in range(3)
    ]


def test_of_eight_claimants_exactly_one_gets_each_partition(graph):
    open_partitions(graph, 12)
    sources = [row["source"] for row in list_partitions(graph)]

    def claim_all(owner):
        return [s for s in sources if claim_partition(graph, s, owner, 60)]

    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(claim_all, [f"c{n}" for n in range(8)]))

    assert sorted(source for mine in held for source in mine) == sorted(sources)


def test_after_its_lease_another_writes_and_the_first_cannot(graph, domain):
    open_partitions(graph, 1)
    first = claim_partition(graph, "stream:1:0", "first", 0)

    second = claim_partition(graph, "stream:1:0", "second", 60)

    assert second.fence == first.fence + 1
    with pytest.raises(LeaseLostError):
        renew_partition(graph, first, 60)
    with pytest.raises(LeaseLostError):
        begin_epoch(graph, first)
    row = [event_row("ann", "1")]
    with pytest.raises(LeaseLostError):
        save_events(graph, domain, first.source, row, seqs=[1], token="t", fence=first.fence)
    release_partition(graph, first)
    assert list_partitions(graph)[0]["owner"] == "second"
    save_events(graph, domain, second.source, row, seqs=[1], token="t", fence=second.fence)
    assert list_partitions(graph)[0]["offset"] == 1


def test_what_is_released_is_claimed_at_once_and_goes_on_where_it_was(graph, domain):
    open_partitions(graph, 1)
    first = claim_partition(graph, "stream:1:0", "first", 60)
    rows = [event_row("ann", "1"), event_row("ann", "2")]
    save_events(graph, domain, first.source, rows, seqs=[1, 2], token="t", fence=first.fence)
    assert claim_partition(graph, "stream:1:0", "second", 60) is None

    release_partition(graph, first)
    second = claim_partition(graph, "stream:1:0", "second", 60)

    assert (second.offset, second.token) == (2, "t")


def test_a_new_epoch_closes_the_source_and_holds_the_next(graph, domain):
    open_partitions(graph, 1)
    held = claim_partition(graph, "stream:1:0", "me", 60)
    save_events(graph, domain, held.source, [event_row("ann", "1")], seqs=[7], fence=held.fence)

    new = begin_epoch(graph, held)

    assert (new.source, new.epoch, new.offset, new.token) == ("stream:2:0", 2, -1, None)
    assert claim_partition(graph, held.source, "other", 60) is None
    assert claim_partition(graph, new.source, "other", 60) is None
    with pytest.raises(LeaseLostError):
        begin_epoch(graph, held)
    (row,) = list_partitions(graph)
    assert (row["source"], row["owner"]) == ("stream:2:0", "me")
    open_partitions(graph, 1)
    assert len(list_partitions(graph)) == 1
    kept = graph.read("MATCH (s:Source {id: 'stream:1:0'}) RETURN s.events AS n, s.offset AS o")
    assert kept == [{"n": 1, "o": 7}]
