"""Versions: filled aside, flipped whole, rolled back; an overtaken publisher writes nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.versions.slots import (
    build_indexes,
    clear_slot,
    fill_items,
    fill_similar,
    fill_users,
    index_name,
    nearest,
)
from graphdb.versions.versions import (
    OvertakenError,
    PublicationError,
    begin_version,
    fetch_serving,
    flip,
    list_versions,
    rollback,
)
from tests.rows import item_row

SIMILAR = "MATCH (i:Item)-[r:SIMILAR_A]->(j:Item) RETURN i.id AS i, j.id AS j, r.weight AS w"


def done(count: int) -> None:
    assert count > 0


@pytest.fixture
def catalogue(graph, domain):
    save_items(graph, domain, [item_row(str(n)) for n in range(4)])
    save_users(graph, domain, [{"id": "ann", "fields": {}}])
    return graph.read("MATCH (u:User {id: 'ann'}) RETURN u.key AS key")[0]["key"]


def publish(graph, version: str, fence: int = 0):
    building = begin_version(graph, version, {"metrics": {"a": 1}}, fence)
    clear_slot(graph, building)
    rows = [(str(n), [float(n == 0), float(n == 1), float(n > 1)], 1.0) for n in range(4)]
    fill_items(graph, building, rows, done)
    build_indexes(graph, building, 3)
    flip(graph, building)
    return building


def states(graph) -> dict[str, str]:
    return {row["id"]: row["state"] for row in list_versions(graph)}


def test_versions_take_turns_in_three_slots(graph, catalogue):
    slots = [publish(graph, f"v{n}").slot for n in range(4)]

    assert slots == ["a", "b", "c", "a"]
    assert states(graph) == {"v0": "retired", "v1": "retired", "v2": "standby", "v3": "serving"}
    assert fetch_serving(graph) == {"id": "v3", "slot": "a"}


def test_the_index_of_a_slot_answers_and_matches_nodes_only(graph, catalogue):
    building = begin_version(graph, "v", {})
    clear_slot(graph, building)
    items = [("0", [1.0, 0.0], 1.0), ("1", [0.0, 1.0], 1.0), ("gone", [1.0, 1.0], 1.0)]

    assert fill_items(graph, building, items, done) == 2
    people = [(catalogue, [1.0, 0.1]), ("gone", [1.0, 1.0])]
    assert fill_users(graph, building, people, done) == 1
    similar = [("0", ["1", "gone"], [0.5, 0.25]), ("1", [], [])]
    assert fill_similar(graph, building, similar, done) == 1
    build_indexes(graph, building, 2)

    assert nearest(graph, building.slot, [0.1, 1.0], 10) == ["1", "0"]
    assert graph.read(SIMILAR) == [{"i": "0", "j": "1", "w": 0.5}]
    assert graph.read("MATCH (n) WHERE n.id = 'gone' RETURN count(n) AS n") == [{"n": 0}]
    named = index_name("Item", "a")
    options = graph.read(
        "SHOW VECTOR INDEXES YIELD name, options WHERE name = $n RETURN options.indexConfig AS c",
        n=named,
    )[0]["c"]
    # The two lines of Neo4j report it under different names.
    assert options.get("vector.quantization.type", "NONE") == "NONE"
    assert not options.get("vector.quantization.enabled", False)


def test_a_slot_is_cleared_of_what_was_in_it(graph, catalogue):
    first = begin_version(graph, "v", {})
    fill_items(graph, first, [("0", [1.0, 0.0], 1.0)], done)
    fill_users(graph, first, [(catalogue, [1.0, 0.0])], done)
    fill_similar(graph, first, [("0", ["1"], [1.0])], done)

    clear_slot(graph, begin_version(graph, "v", {}, fence=1))

    left = graph.read("MATCH (n) WHERE n.vector_a IS NOT NULL RETURN count(n) AS n")
    assert left == [{"n": 0}]
    assert graph.read(SIMILAR) == []


def test_rollback_flips_back_and_forth(graph, catalogue):
    publish(graph, "v0")
    publish(graph, "v1")

    assert rollback(graph) == "v0"
    assert fetch_serving(graph) == {"id": "v0", "slot": "a"}
    assert rollback(graph) == "v1"
    assert states(graph) == {"v0": "standby", "v1": "serving"}


def test_rollback_without_an_earlier_version_is_refused(graph, catalogue):
    publish(graph, "v0")

    with pytest.raises(PublicationError, match="no earlier version"):
        rollback(graph)
    assert fetch_serving(graph)["id"] == "v0"


def test_an_overtaken_publisher_writes_nothing(graph, catalogue):
    first = begin_version(graph, "v", {}, fence=1)
    second = begin_version(graph, "v", {}, fence=2)
    assert first.slot == second.slot

    for late in (
        lambda: fill_items(graph, first, [("0", [1.0], 1.0)], done),
        lambda: fill_similar(graph, first, [("0", ["1"], [1.0])], done),
        lambda: clear_slot(graph, first),
        lambda: flip(graph, first),
        lambda: begin_version(graph, "v", {}, fence=1),
    ):
        with pytest.raises(OvertakenError):
            late()
    assert fetch_serving(graph) is None
    assert graph.read("MATCH (n:Item) WHERE n.vector_a IS NOT NULL RETURN count(n) AS n") == [
        {"n": 0}
    ]


def test_a_version_that_serves_is_not_filled_again(graph, catalogue):
    publish(graph, "v0")

    with pytest.raises(PublicationError, match="serving already"):
        begin_version(graph, "v0", {}, fence=9)


def test_an_abandoned_building_version_gives_up_its_slot(graph, catalogue):
    publish(graph, "v0")
    publish(graph, "v1")
    begin_version(graph, "lost", {})

    assert publish(graph, "v2").slot == "c"
    assert states(graph)["lost"] == "retired"


def test_publishers_at_once_take_different_slots_or_are_refused(graph, catalogue):
    def begin(n: int):
        return begin_version(graph, f"v{n}", {}).slot

    with ThreadPoolExecutor(3) as pool:
        slots = list(pool.map(begin, range(3)))

    assert sorted(slots) == ["a", "b", "c"]
