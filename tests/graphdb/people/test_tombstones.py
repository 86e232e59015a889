"""Marks of what was taken back: found again, and of nothing else."""

from graphdb.people.tombstones import are_erased, event_mark, person_mark, set_tombstone


def test_a_mark_is_set_once_and_found_by_whom_it_is_of(graph):
    for _ in range(2):
        graph.transaction(lambda tx: set_tombstone(tx, person_mark("ann")))
    graph.transaction(lambda tx: set_tombstone(tx, event_mark("rated", "bob")))

    assert graph.read("MATCH (t:Tombstone) RETURN count(t) AS n") == [{"n": 2}]
    assert are_erased(graph, ["ann", "bob", "anne"]) == {"ann"}


def test_a_mark_does_not_hold_the_id_and_parts_do_not_run_together():
    assert "ann" not in person_mark("ann")
    assert event_mark("a", "bc") != event_mark("ab", "c")
    assert event_mark("rated", "1") != event_mark("watched", "1")
