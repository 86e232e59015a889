"""Attention on events: of its slot, on the person's own, nothing created, gone with the version."""

import pytest

from graphdb.canonical import hash_graph
from graphdb.catalogue.catalogue import save_items
from graphdb.events.event_row import micros
from graphdb.events.events import save_events
from graphdb.versions import attention
from graphdb.versions.attention import Attended, clear_attention, save_attention
from graphdb.versions.slots import clear_slot
from graphdb.versions.versions import PublicationError, begin_version, flip
from tests.documents import blocks
from tests.rows import NOON, event_row, item_row

AT = micros(NOON)
MINUTE = 60_000_000
FOUND = """
MATCH (u:User)-[r]->(i:Item)
RETURN u.id AS user, type(r) AS type, i.id AS item, r.attention_a AS a, r.attention_b AS b
"""
COUNTS = "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS n, count(r) AS r"


@pytest.fixture
def people(graph, domain) -> list[Attended]:
    """Ann rated 1 and watched it twice, bob rated 2; v1 serves in slot a."""
    save_items(graph, domain, [item_row("1"), item_row("2 b")])
    rows = [
        event_row("ann", "1", 0),
        event_row("ann", "1", 1, event_id="once", event_type="watched"),
        event_row("ann", "1", 2, event_id="twice", event_type="watched"),
        event_row("bob", "2 b", 3),
    ]
    save_events(graph, domain, "api", rows)
    flip(graph, begin_version(graph, "v1", {}))
    keys = {
        row["id"]: row["key"]
        for row in graph.read("MATCH (u:User) RETURN u.id AS id, u.key AS key")
    }
    return [
        Attended(
            keys["ann"],
            {
                ("rated", "1", AT): 0.5,
                ("watched", "1", AT + MINUTE): 0.125,
                ("watched", "1", AT + 2 * MINUTE): 0.375,
            },
        ),
        Attended(keys["bob"], {("rated", "2 b", AT + 3 * MINUTE): 1.0}),
    ]


def written(graph) -> set[tuple]:
    return {(r["user"], r["type"], r["item"], r["a"], r["b"]) for r in graph.read(FOUND)}


def attended_of(graph, version: str) -> int | None:
    found = graph.read("MATCH (v:ModelVersion {id: $id}) RETURN v.attended AS n", id=version)
    return found[0]["n"]


@pytest.mark.parametrize("page", [1, 20_000])
def test_each_event_has_its_own_share_and_nothing_is_created(
    graph, domain, people, page, monkeypatch
):
    monkeypatch.setattr(attention, "PAGE_EVENTS", page)
    before, hashed = graph.read(COUNTS), hash_graph(graph)

    assert save_attention(graph, domain, "v1", people) == 4

    assert written(graph) == {
        ("ann", "RATED", "1", 0.5, None),
        ("ann", "WATCHED", "1", 0.125, None),
        ("ann", "WATCHED", "1", 0.375, None),
        ("bob", "RATED", "2 b", 1.0, None),
    }
    assert attended_of(graph, "v1") == 4
    assert graph.read(COUNTS) == before
    assert hash_graph(graph) == hashed, "what training wrote is not what the graph says"


def test_the_next_writing_takes_away_what_the_last_one_left(graph, domain, people):
    save_attention(graph, domain, "v1", people)

    assert save_attention(graph, domain, "v1", people[1:]) == 1

    assert {row[3] for row in written(graph)} == {None, 1.0}
    assert attended_of(graph, "v1") == 1


def test_strangers_and_events_that_are_gone_are_passed_over(graph, domain, people):
    others = [
        Attended("nobody", {("rated", "1", AT): 1.0}),
        Attended(people[1].key, {("rated", "1", AT): 0.5, ("rated", "2 b", AT): 0.5}),
    ]
    before = graph.read(COUNTS)

    assert save_attention(graph, domain, "v1", others) == 0

    assert graph.read(COUNTS) == before
    assert {row[3] for row in written(graph)} == {None}


def test_events_of_whoever_was_joined_are_their_persons(graph, domain, people):
    graph.write("MATCH (a:User {id: 'ann'}), (b:User {id: 'bob'}) CREATE (b)-[:SAME_AS]->(a)")
    shares = {**people[0].shares, **people[1].shares}

    assert save_attention(graph, domain, "v1", [Attended(people[0].key, shares)]) == 4


def test_two_versions_stand_beside_each_other_and_a_new_one_clears_its_slot(graph, domain, people):
    save_attention(graph, domain, "v1", people)
    flip(graph, begin_version(graph, "v2", {}))
    save_attention(graph, domain, "v2", people[1:])
    assert ("bob", "RATED", "2 b", 1.0, 1.0) in written(graph)

    flip(graph, begin_version(graph, "v3", {}))
    third = begin_version(graph, "v4", {})
    clear_slot(graph, third)

    assert third.slot == "a"
    assert {row[3] for row in written(graph)} == {None}
    assert ("bob", "RATED", "2 b", None, 1.0) in written(graph)
    assert attended_of(graph, "v1") is None


@pytest.mark.parametrize("version", ["v2", "nowhere", "v1"])
def test_only_a_version_that_holds_its_slot_is_written(graph, domain, people, version):
    if version == "v1":
        for other in ("v2", "v3"):
            flip(graph, begin_version(graph, other, {}))
    else:
        begin_version(graph, "v2", {})

    with pytest.raises(PublicationError, match=f"version {version} neither serves nor stands by"):
        save_attention(graph, domain, version, people)

    assert {row[3] for row in written(graph)} == {None}


def test_where_nothing_was_written_nothing_is_looked_through(graph, domain, people):
    graph.write("MATCH (:User {id: 'bob'})-[r:RATED]->() SET r.attention_a = 9.0")

    clear_attention(graph, "a")

    assert ("bob", "RATED", "2 b", 9.0, None) in written(graph)


def test_the_analysts_question_is_answered(graph, domain, people):
    save_attention(graph, domain, "v1", people)
    (question,) = [block for block in blocks("docs/graph.md", "cypher") if "attention_a" in block]

    rows = graph.read(question)

    assert [tuple(row.values()) for row in rows] == [
        ("RATED", "none", 2, 1.25),
        ("WATCHED", "none", 2, 0.75),
    ]
