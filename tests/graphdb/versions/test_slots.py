"""A slot: cleared whole, filled in batches that report, indexed exactly, fenced all the time."""

import numpy as np
import pytest

from graphdb.catalogue.catalogue import save_items
from graphdb.versions import slots
from graphdb.versions.slots import (
    batches,
    build_indexes,
    clear_slot,
    fill_items,
    fill_similar,
    index_name,
    indexed_fields,
    nearest,
)
from graphdb.versions.versions import OvertakenError, begin_version
from tests.rows import item_row

ITEMS = 60
SEED = 5


@pytest.fixture
def building(graph, domain):
    save_items(graph, domain, [item_row(str(n)) for n in range(ITEMS)])
    return begin_version(graph, "v1", {})


@pytest.fixture
def vectors() -> np.ndarray:
    print("seed", SEED)
    drawn = np.random.default_rng(SEED).normal(size=(ITEMS, 5))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def rows(vectors: np.ndarray) -> list[tuple[str, list[float], float]]:
    return [(str(n), vector.tolist(), 1.0) for n, vector in enumerate(vectors)]


def ignore(count: int) -> None:
    """Progress that nobody watches."""


def test_the_index_ranks_as_the_cosine_does(graph, building, vectors):
    fill_items(graph, building, rows(vectors), ignore)

    build_indexes(graph, building, vectors.shape[1])

    for asked in vectors[:5]:
        order = np.argsort(-(vectors @ asked))[:10]
        assert nearest(graph, building.slot, asked.tolist(), 10) == [str(n) for n in order]


def test_it_holds_what_filters_compare_where_the_server_can_filter_by_it(
    graph, building, vectors, neo4j_version
):
    fill_items(graph, building, rows(vectors), ignore)

    build_indexes(graph, building, vectors.shape[1])

    held = indexed_fields(graph, building.slot)
    assert held >= {"year"} if neo4j_version.startswith("20") else held == frozenset()
    assert indexed_fields(graph, "c") == frozenset()


def test_a_cleared_slot_has_no_vectors_weights_or_index(graph, building, vectors):
    fill_items(graph, building, rows(vectors), ignore)
    fill_similar(graph, building, [("0", ["1", "2"], [0.5, -0.5])], ignore)
    build_indexes(graph, building, vectors.shape[1])

    clear_slot(graph, building)

    left = "MATCH (i:Item) RETURN count(i.vector_a) + count(i.vector_length_a) AS n"
    assert graph.read(left) == [{"n": 0}]
    assert graph.read("MATCH ()-[r:SIMILAR_A]->() RETURN count(r) AS n") == [{"n": 0}]
    named = "SHOW VECTOR INDEXES YIELD name WHERE name = $name RETURN name"
    assert graph.read(named, name=index_name("Item", "a")) == []


def test_another_slot_is_left_alone(graph, building, vectors):
    fill_items(graph, building, rows(vectors), ignore)
    other = begin_version(graph, "v2", {})

    clear_slot(graph, other)

    assert (building.slot, other.slot) == ("a", "b")
    assert graph.read("MATCH (i:Item) RETURN count(i.vector_a) AS n") == [{"n": ITEMS}]


def test_progress_counts_every_row_once(graph, building, vectors, monkeypatch):
    monkeypatch.setattr(slots, "BATCH", 25)
    told: list[int] = []

    written = fill_items(graph, building, rows(vectors), told.append)

    assert (written, told) == (ITEMS, [25, 25, 10])


@pytest.mark.parametrize("step", ["clear", "items", "similar"])
def test_an_overtaken_publisher_is_refused_at_every_step(graph, building, vectors, step):
    begin_version(graph, "v1", {}, fence=building.fence + 1)
    steps = {
        "clear": lambda: clear_slot(graph, building),
        "items": lambda: fill_items(graph, building, rows(vectors), ignore),
        "similar": lambda: fill_similar(graph, building, [("0", ["1"], [1.0])], ignore),
    }

    with pytest.raises(OvertakenError, match="another attempt"):
        steps[step]()

    assert graph.read("MATCH (i:Item) RETURN count(i.vector_a) AS n") == [{"n": 0}]
    assert graph.read("MATCH ()-[r:SIMILAR_A]->() RETURN count(r) AS n") == [{"n": 0}]


def test_batches_hold_everything_in_order():
    assert list(batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(batches([], 2)) == []
