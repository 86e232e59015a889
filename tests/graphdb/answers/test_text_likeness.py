"""Likeness of texts: by the index where it is there, and the same without it."""

import numpy as np
import pytest

from graphdb.answers.text_likeness import index_texts, list_similar_by_text
from graphdb.catalogue.catalogue import save_items, save_text_vectors
from tests.graphdb.profiled import Profiled
from tests.rows import item_row

DIGEST = "MATCH (i:Item) RETURN i.id AS id, i.text_digest AS digest"


def give_vectors(graph, domain, vectors, encoder: str = "e") -> None:
    """Items "0", "1", … with these vectors."""
    rows = [item_row(str(n), title=f"t{n}") for n in range(len(vectors))]
    save_items(graph, domain, rows)
    digests = {row["id"]: row["digest"] for row in graph.read(DIGEST)}
    rows = [
        {"id": str(n), "digest": digests[str(n)], "vector": [float(x) for x in vector]}
        for n, vector in enumerate(vectors)
    ]
    save_text_vectors(graph, encoder, rows)


def index(graph, encoder: str = "e") -> None:
    """The index of this encoder's vectors, until it is there."""
    index_texts(graph, encoder)
    graph.read("CALL db.awaitIndexes(60)")


def test_it_is_the_cosine_of_the_vectors(graph, domain):
    give_vectors(graph, domain, [[1, 0], [1, 1], [0, 1]])
    without = list_similar_by_text(graph, "0", 2)

    index(graph)

    for rows in (without, list_similar_by_text(graph, "0", 2), list_similar_by_text(graph, "0", 9)):
        assert [row["id"] for row in rows] == ["1", "2"]
        cosines = [2 * row["score"] - 1 for row in rows]
        assert cosines == pytest.approx([0.5**0.5, 0], abs=1e-6)
    assert list_similar_by_text(graph, "0", 1, ["1"])[0]["id"] == "2"
    assert list_similar_by_text(graph, "none", 2) == []


def test_of_many_items_those_that_are_near_are_read(graph, domain):
    vectors = np.random.default_rng(3).normal(size=(2_000, 6))
    give_vectors(graph, domain, vectors)
    graph.write("MATCH (i:Item {id: '1'}) SET i.hidden = true")
    exact = list_similar_by_text(graph, "0", 10)
    index(graph)
    profiled = Profiled(graph)

    rows = list_similar_by_text(profiled, "0", 10)

    assert [row["id"] for row in rows] == [row["id"] for row in exact]
    assert profiled.hits < 2_000


def test_where_most_of_the_near_are_hidden_all_are_read(graph, domain):
    angles = np.linspace(0, 1, 400)
    give_vectors(graph, domain, np.stack([np.cos(angles), np.sin(angles)], axis=1))
    graph.write("MATCH (i:Item) WHERE 0 < toInteger(i.id) < 300 SET i.hidden = true")
    index(graph)

    assert [row["id"] for row in list_similar_by_text(graph, "0", 2)] == ["300", "301"]


def test_another_encoder_s_vectors_are_never_compared_and_have_an_index_of_their_length(
    graph, domain
):
    give_vectors(graph, domain, [[1, 0], [1, 0.1], [1, 0.2], [0, 1]])
    index(graph)
    old = [row["id"] for row in list_similar_by_text(graph, "0", 1)]

    give_vectors(graph, domain, [[1, 0, 0], [0, 1, 0], [1, 0.5, 0]], "longer")
    between = list_similar_by_text(graph, "0", 1)
    index(graph, "longer")

    assert old == ["1"]
    assert [row["id"] for row in between] == ["2"]
    assert list_similar_by_text(graph, "0", 3) == list_similar_by_text(graph, "0", 9)
    assert [row["id"] for row in list_similar_by_text(graph, "0", 9)] == ["2", "1"]
    index_texts(graph, "nobody's")
    assert list_similar_by_text(graph, "0", 1)[0]["id"] == "2"
