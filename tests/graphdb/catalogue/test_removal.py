"""Removal in small transactions: what counts says is what is there, at every moment."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.answers.retrieval import fetch_person
from graphdb.catalogue import removal
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.removal import LIST_SOURCES, REMOVE_PAGE, delete_item, remove_relationships
from graphdb.cypher import render
from graphdb.events.events import save_events
from tests.graphdb.profiled import Profiled
from tests.rows import NOON, event_row, item_row

COUNTED = "MATCH (s:Source) RETURN s.id AS source, s.events AS events"
THERE = "MATCH ()-[r:RATED|WATCHED]->() RETURN r.source AS source, count(r) AS events"


def counts(graph, statement) -> dict[str, int]:
    rows = graph.read(statement)
    return {row["source"]: row["events"] for row in rows if row["events"]}


@pytest.fixture
def popular(graph, domain):
    """An item "1" with 25 events from three sources, beside "2" with some."""
    save_items(graph, domain, [item_row("1", title="t", genres=["Drama"]), item_row("2")])
    for n in range(25):
        rows = [event_row(f"u{n % 9}", "1", n, event_id=f"e{n}"), event_row(f"u{n}", "2", n)]
        save_events(graph, domain, f"s{n % 3}", rows)
    graph.write("MATCH (a:Item {id: '1'}), (b:Item {id: '2'}) CREATE (b)-[:SIMILAR_A]->(a)")


def test_an_item_goes_with_its_events_and_the_counts_follow(graph, domain, popular):
    assert delete_item(graph, "1")
    assert not delete_item(graph, "1")

    assert graph.read("MATCH (i:Item) RETURN i.id AS id") == [{"id": "2"}]
    assert counts(graph, COUNTED) == counts(graph, THERE)
    assert sum(counts(graph, THERE).values()) == 25
    removed = "MATCH (n:<l>) RETURN sum(n.removed) AS n"
    assert graph.read(removed.replace("<l>", "Source")) == [{"n": 25}]
    assert graph.read(removed.replace("<l>", "User")) == [{"n": 25}]


def test_the_short_lists_of_people_forget_the_item(graph, domain, popular):
    delete_item(graph, "1")

    person = fetch_person(graph, domain, "u0", {}, NOON)
    lists = graph.read(
        "MATCH (u:User {id: 'u0'}) RETURN [size(u.recent_items), size(u.recent_events)] AS n"
    )

    assert [event.item_id for event in person.events] == ["2"]
    assert lists == [{"n": [1, 1]}]


def test_counts_add_up_after_every_page_and_a_removal_cut_short_is_finished(
    graph, domain, popular, monkeypatch
):
    """Killed after each page in turn: a page is a transaction, so that is all that can remain."""

    class CutShortError(Exception):
        pass

    real = graph.transaction
    for pages in itertools.count(1):
        left = iter(range(pages))

        def transaction(work, left=left):
            if next(left, None) is None:
                raise CutShortError
            return real(work)

        monkeypatch.setattr(graph, "transaction", transaction)
        try:
            remove_relationships(graph, "Item", "id", "1", page=4)
            break
        except CutShortError:
            assert counts(graph, COUNTED) == counts(graph, THERE)
    monkeypatch.undo()

    assert pages >= 3
    assert counts(graph, COUNTED) == counts(graph, THERE)
    assert graph.read("MATCH (i:Item {id: '1'})--() RETURN count(*) AS n") == [{"n": 0}]


GROW = """
CREATE (i:Item {id: 'hub'})
WITH i
UNWIND range(1, $events) AS n
CREATE (:User {key: toString(n)})-[:RATED {event_id: 'hub' + toString(n), source: 's'}]->(i)
"""
SHRINK = "MATCH (:Item {id: 'hub'})-[r]-() WITH r LIMIT $events DELETE r"


@pytest.mark.faults
def test_a_page_takes_the_same_however_many_are_left(graph):
    graph.write(GROW, events=5_000)
    graph.read("CALL db.prepareForReplanning(60)")
    took = []
    for gone in (0, 4_000):
        graph.write(SHRINK, events=gone)
        profiled = Profiled(graph)
        for statement in (LIST_SOURCES, REMOVE_PAGE):
            asked = {"value": "hub", "page": 100, "sources": ["s"]}
            profiled.read(render(statement, label="Item", identity="id"), **asked)
        took.append(profiled.hits)

    assert graph.read("MATCH (:Item)--() RETURN count(*) AS n") == [{"n": 800}]
    assert max(took) < 1.5 * min(took) < 5_000, took


def test_a_later_event_creates_the_item_again_bare(graph, domain, popular):
    delete_item(graph, "1")

    save_events(graph, domain, "s0", [event_row("late", "1")])

    item = graph.read("MATCH (i:Film {id: '1'}) RETURN i.title AS title, i.hidden AS hidden")
    assert item == [{"title": None, "hidden": None}]
    assert counts(graph, COUNTED) == counts(graph, THERE)


def test_events_that_arrive_while_items_are_deleted_are_counted_or_not_there(
    graph, domain, monkeypatch
):
    monkeypatch.setattr(removal, "PAGE", 5)
    items = [str(n) for n in range(4)]

    def write(writer: int) -> None:
        for n in range(12):
            rows = [
                event_row(f"u{n % 5}", item, n, event_id=f"{writer}-{n}-{item}") for item in items
            ]
            save_events(graph, domain, f"s{writer}", rows)

    def delete(n: int) -> None:
        for _ in range(6):
            delete_item(graph, items[n])

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(write, n) for n in range(3)] + [pool.submit(delete, n) for n in (0, 1)]
        for job in jobs:
            job.result()

    assert counts(graph, COUNTED) == counts(graph, THERE)
    for item in items[2:]:
        found = graph.read("MATCH (:Item {id: $id})<-[r]-() RETURN count(r) AS n", id=item)
        assert found == [{"n": 36}]
