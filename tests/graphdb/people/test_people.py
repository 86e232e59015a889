"""People who turned out to be one: always one hop, repeatable, and everybody's key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from graphdb.events.events import save_events
from graphdb.people.erasure import ErasedError, erase_person
from graphdb.people.people import JoinedElsewhereError, fetch_news, fetch_people, join_people
from tests.rows import event_row

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
JOINED = "MATCH (a)-[:SAME_AS]->(b) RETURN a.id AS a, b.id AS b"


def joined(graph) -> set[tuple[str, str]]:
    return {(row["a"], row["b"]) for row in graph.read(JOINED)}


def test_a_source_is_joined_once_and_its_events_stay(graph, domain):
    save_events(graph, domain, "api", [event_row("anonymous:a", "1"), event_row("ann", "2")])

    assert join_people(graph, "ann", "anonymous:a") == "ann"
    assert join_people(graph, "ann", "anonymous:a") == "ann"

    assert joined(graph) == {("anonymous:a", "ann")}
    events = "MATCH (u:User)-[:RATED]->(i) RETURN u.id AS u, i.id AS i"
    assert {tuple(r.values()) for r in graph.read(events)} == {("anonymous:a", "1"), ("ann", "2")}


def test_a_chain_is_resolved_to_one_hop(graph):
    join_people(graph, "b", "a1")
    join_people(graph, "b", "a2")

    assert join_people(graph, "c", "b") == "c"
    assert joined(graph) == {("a1", "c"), ("a2", "c"), ("b", "c")}

    assert join_people(graph, "a1", "d") == "c"
    assert joined(graph) == {("a1", "c"), ("a2", "c"), ("b", "c"), ("d", "c")}


def test_a_cycle_changes_nothing(graph):
    join_people(graph, "b", "a")

    assert join_people(graph, "a", "b") == "b"
    assert join_people(graph, "b", "b") == "b"

    assert joined(graph) == {("a", "b")}


def test_nobody_is_joined_to_two(graph):
    join_people(graph, "ann", "anonymous:shared")

    with pytest.raises(JoinedElsewhereError):
        join_people(graph, "bob", "anonymous:shared")

    assert joined(graph) == {("anonymous:shared", "ann")}


def test_an_erased_person_is_joined_to_nobody(graph):
    erase_person(graph, "ann")

    for target, source in (("ann", "bob"), ("bob", "ann")):
        with pytest.raises(ErasedError):
            join_people(graph, target, source)

    assert fetch_people(graph) == {}


def test_joins_at_once_end_in_one_hop(graph):
    """Chains made in any order by many at once: whatever is joined ends at a person not joined."""
    pairs = [(f"p{n + 1}", f"p{n}") for n in range(8)] * 2

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(join_people, graph, *pair) for pair in pairs]
        for job in done:
            job.result()

    assert joined(graph) == {(f"p{n}", "p8") for n in range(8)}


def test_news_are_the_joins_since_and_the_number_of_people_erased(graph):
    join_people(graph, "ann", "a1")
    first = fetch_news(graph, BEGINNING)
    join_people(graph, "bob", "ann")
    erase_person(graph, "cid")

    second = fetch_news(graph, first.at)

    assert (first.joined, first.erased) == ({"a1": "ann"}, 0)
    assert (second.joined, second.erased) == ({"a1": "bob", "ann": "bob"}, 1)
    assert fetch_news(graph, second.at).joined == {}


def test_everybody_has_a_key_of_their_own(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    join_people(graph, "bob", "anonymous:b")

    people = fetch_people(graph)

    assert set(people) == {"ann", "bob", "anonymous:b"}
    assert len(set(people.values())) == 3
