"""People erased: nothing of them is left, counts add up at every moment, and they do not return."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.answers.retrieval import fetch_person
from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.catalogue.relations import save_relations
from graphdb.events.events import save_events
from graphdb.people.erasure import erase_person, finish_erasures
from graphdb.people.people import fetch_people, join_people
from tests.graphdb.catalogue.test_removal import COUNTED, THERE, counts
from tests.related import RELATED
from tests.rows import NOON, event_row, item_row

DUMP = """
MATCH (n) OPTIONAL MATCH (n)-[r]->(m)
RETURN labels(n) AS labels, n.id AS id, type(r) AS type, m.id AS other, r.event_id AS event
ORDER BY labels, id, type, other, event
"""


@pytest.fixture
def people(graph):
    """Ann, to whom two anonymous people were joined, and bob, who follows her."""
    save_items(graph, RELATED, [item_row(str(n), genres=["Drama"]) for n in range(5)])
    save_users(graph, RELATED, [{"id": "ann", "fields": {"age": 41}}])
    for n, person in enumerate(["ann", "anonymous:a", "anonymous:b", "bob"]):
        rows = [event_row(person, str(item), item) for item in range(5)]
        save_events(graph, RELATED, f"s{n % 2}", rows)
    follows = [("bob", "ann"), ("ann", "bob")]
    rows = [{"type": "follows", "start": a, "end": b, "weight": None} for a, b in follows]
    save_relations(graph, RELATED, rows)
    join_people(graph, "ann", "anonymous:a")
    join_people(graph, "ann", "anonymous:b")


@pytest.mark.parametrize("asked", ["ann", "anonymous:a"])
def test_nothing_is_left_but_hashes(graph, people, asked):
    erase_person(graph, asked)

    assert set(fetch_people(graph)) == {"bob"}
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 1}]
    assert graph.read("MATCH (:User {id: 'bob'})--(n) RETURN DISTINCT labels(n)[0] AS l") == [
        {"l": "Item"}
    ]
    assert counts(graph, COUNTED) == counts(graph, THERE) == {"s1": 5}
    stones = graph.read("MATCH (t:Tombstone) RETURN t.id AS id, COUNT { (t)--() } AS tied")
    assert [stone["tied"] for stone in stones] == [0, 0, 0]
    assert not any(name in str(graph.read(DUMP)) for name in ("ann", "anonymous"))


def test_later_events_fields_and_relations_are_dropped(graph, people):
    erase_person(graph, "ann")

    report = save_events(graph, RELATED, "s0", [event_row("ann", "9"), event_row("cid", "9")])
    refused = save_users(graph, RELATED, [{"id": i, "fields": {}} for i in ("cid", "ann")])

    assert (report.accepted, report.dropped) == (1, [0])
    assert refused == [1]
    assert set(fetch_people(graph)) == {"bob", "cid"}
    assert counts(graph, COUNTED) == counts(graph, THERE)


def test_somebody_unknown_may_be_erased_before_their_first_event_arrives(graph, domain):
    erase_person(graph, "ann")

    assert save_events(graph, domain, "api", [event_row("ann", "1")]).dropped == [0]
    assert graph.read("MATCH (u:User) RETURN u") == []


def test_cut_short_anywhere_and_repeated_it_ends_the_same(graph, people, monkeypatch):
    """Killed after each transaction in turn, nobody is found any more, and counts add up."""

    class CutShortError(Exception):
        pass

    monkeypatch.setattr("graphdb.catalogue.removal.PAGE", 3)
    real, real_write = graph.transaction, graph.write
    for steps in itertools.count(1):
        left = iter(range(steps))

        def step(work, *args, left=left, run=real, **parameters):
            if next(left, None) is None:
                raise CutShortError
            return run(work, *args, **parameters)

        with monkeypatch.context() as patch:
            patch.setattr(graph, "transaction", step)
            patch.setattr(graph, "write", lambda *a, left=left, **p: step(*a, run=real_write, **p))
            try:
                erase_person(graph, "ann")
                break
            except CutShortError:
                pass
        assert fetch_person(graph, RELATED, "ann", {}, NOON).keys == []
        assert fetch_person(graph, RELATED, "anonymous:b", {}, NOON).events == []
        assert set(fetch_people(graph)) == {"bob"}
        assert counts(graph, COUNTED) == counts(graph, THERE)

    assert steps > 2
    ended = graph.read(DUMP)
    erase_person(graph, "ann")
    assert graph.read(DUMP) == ended
    assert graph.read("MATCH (u:User) RETURN u.id AS id") == [{"id": "bob"}]


def test_what_was_cut_short_is_finished_by_whoever_starts_next(graph, people, monkeypatch):
    def cut_short(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("graphdb.people.erasure.remove_relationships", cut_short)
        erase_person(graph, "ann")

    finish_erasures(graph)

    assert graph.read("MATCH (u:User) RETURN u.id AS id") == [{"id": "bob"}]
    assert counts(graph, COUNTED) == counts(graph, THERE)


def test_an_erasure_that_waited_for_another_ends_as_that_did(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    unnamed = threading.Event()

    def slow(tx) -> None:
        tx.run("MATCH (u:User {id: 'ann'}) SET u = {key: u.key}").consume()
        unnamed.set()
        time.sleep(1)  # the other waits for the lock by then

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(graph.transaction, slow)
        assert unnamed.wait(20)
        erase_person(graph, "ann")
        first.result()

    again = save_events(graph, domain, "api", [event_row("ann", "2")])
    assert (again.accepted, again.dropped) == (0, [0])
    assert graph.read("MATCH (u:User {id: 'ann'}) RETURN count(u) AS n") == [{"n": 0}]


@pytest.mark.faults
def test_events_that_arrive_during_an_erasure_are_removed_or_dropped(graph, domain):
    def write(writer: int) -> int:
        taken = 0
        for n in range(15):
            rows = [
                event_row(person, str(n), n, event_id=f"{writer}-{n}-{person}")
                for person in ("ann", "bob")
            ]
            taken += save_events(graph, domain, f"s{writer}", rows).accepted
        return taken

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(write, n) for n in range(3)]
        erasers = [pool.submit(erase_person, graph, "ann") for _ in range(2)]
        for job in [*writers, *erasers]:
            job.result()

    assert set(fetch_people(graph)) == {"bob"}
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 1}]
    assert sum(counts(graph, THERE).values()) == 45
    assert counts(graph, COUNTED) == counts(graph, THERE)


@pytest.mark.faults
@pytest.mark.parametrize("events", [0, 5, 200], ids=["unknown", "few", "dense"])
@pytest.mark.parametrize("bulk", [False, True], ids=["stream", "bulk"])
def test_a_batch_that_is_about_to_commit_leaves_nothing_of_an_erased_person(
    graph, domain, events, bulk
):
    """The erasure begins when the batch has been judged for the last time."""
    known = [event_row("ann", str(n % 20), n, event_id=str(n)) for n in range(events)]
    save_events(graph, domain, "s0", known)
    eraser = threading.Thread(target=erase_person, args=(graph, "ann"))

    def begin(_) -> None:
        eraser.start()
        eraser.join(1)

    rows = [event_row(person, str(n)) for person in ("ann", "bob") for n in range(3)]
    save_events(graph, domain, "s1", rows, bulk=bulk, before_commit=begin)
    eraser.join()

    assert set(fetch_people(graph)) == {"bob"}
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 1}]
    assert counts(graph, COUNTED) == counts(graph, THERE) == {"s1": 3}
