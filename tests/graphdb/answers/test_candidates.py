"""What is found near or by id may be shown, passes, and is the nearest of what passes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graphdb.answers.candidates import fetch_candidates
from graphdb.answers.filtering import compile_filter
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Graph
from graphdb.errors import IndexLostError
from graphdb.filters import All, Condition, Not
from graphdb.filters import Any as AnyOf
from graphdb.schema import create_schema
from graphdb.versions.slots import build_indexes, fill_items, indexed_fields
from graphdb.versions.versions import begin_version, flip
from tests.filtered import EVERY_KIND, passes
from tests.rows import item_row
from tests.wiping import wipe

SEED = 2


def test_candidates_are_near_or_walked_and_never_hidden(graph, published):
    near, walked = fetch_candidates(graph, "v", published, [1.0, 0.0], 4, ["4", "3", "none"])

    assert near == ["0", "1", "2"]
    assert walked == ["4"]


def test_a_version_that_is_gone_gives_nothing(graph, published):
    assert fetch_candidates(graph, "other", published, [1.0, 0.0], 4, []) is None


YEAR_IN = Condition("year", "in", (3, 4))
CHEAP = All((Condition("price", ">=", (5.0,)), Condition("price", "<", (40.0,))))
TAGGED = Condition("tags", "in", ("odd",))
TOLD = [
    (YEAR_IN, YEAR_IN),
    (CHEAP, CHEAP),
    (All((CHEAP, Condition("new", "in", (True,)))),) * 2,
    (Condition("released", ">=", ("7",)),) * 2,
    (All((YEAR_IN, TAGGED, Not(Condition("new", "present")))), YEAR_IN),
    (All((YEAR_IN, Condition("year", ">", (3,)), Condition("year", "in", (4, 5)))), YEAR_IN),
    (AnyOf((YEAR_IN, TAGGED)), All(())),
    (Not(YEAR_IN), All(())),
]
"""Filters, and as much of each as an index of 2026.x can tell."""


def thing(n: int) -> dict[str, Any]:
    fields = {"year": n % 7, "price": n * 0.5, "released": str(n), "tags": ["odd"] * (n % 2)}
    return fields | ({"new": n % 3 == 0} if n % 4 else {})


@pytest.fixture(scope="module")
def things(neo4j_address):
    """A published slot whose items have fields of every kind: the graph, the slot, the vectors."""
    print("seed", SEED)
    vectors = np.random.default_rng(SEED).normal(size=(200, 4))
    with Graph(neo4j_address.uri, neo4j_address.password, user=neo4j_address.user) as graph:
        wipe(graph)
        create_schema(graph, EVERY_KIND)
        save_items(graph, EVERY_KIND, [item_row(str(n), **thing(n)) for n in range(len(vectors))])
        building = begin_version(graph, "v", {})
        rows = [(str(n), vector.tolist(), 1.0) for n, vector in enumerate(vectors)]
        fill_items(graph, building, rows, lambda n: None)
        build_indexes(graph, building, vectors.shape[1])
        flip(graph, building)
        yield graph, building.slot, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("tree", "told"), TOLD)
def test_the_nearest_are_of_what_the_index_can_tell(things, tree, told):
    graph, slot, vectors = things
    fields = indexed_fields(graph, slot)
    passing = compile_filter(EVERY_KIND, tree, fields)
    looked_at = [
        str(n)
        for n in np.argsort(-(vectors @ vectors[0])).tolist()
        if not fields or passes(told, thing(n))
    ][:20]

    near, walked = fetch_candidates(graph, "v", slot, vectors[0].tolist(), 20, ["8"], passing)

    assert near == [item for item in looked_at if passes(tree, thing(int(item)))]
    assert walked == (["8"] if passes(tree, thing(8)) else [])


def test_an_index_without_the_field_is_lost_and_not_an_error(things, neo4j_version):
    graph, slot, vectors = things
    if neo4j_version.startswith("5."):
        assert not indexed_fields(graph, slot)
        return
    passing = compile_filter(EVERY_KIND, YEAR_IN, indexed_fields(graph, slot))
    other = replace(passing, inside=passing.inside.replace("year", "unheard_of"))

    with pytest.raises(IndexLostError):
        fetch_candidates(graph, "v", slot, vectors[0].tolist(), 20, [], other)
