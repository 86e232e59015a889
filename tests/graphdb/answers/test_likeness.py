"""Likeness: a rare attribute shared says more than a common one; peers are people, once each."""

import math

import pytest

from api.serving.index_space import query_vector
from graphdb.answers.likeness import list_peers, list_similar_by_knowledge
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import save_relations
from graphdb.people.people import fetch_people, join_people
from graphdb.schema import create_schema
from tests.related import RELATED
from tests.rows import item_row


def test_a_rare_attribute_shared_says_more_than_a_common_one(graph, domain):
    create_schema(graph, RELATED)
    genres = {"i": ["Noir", "War"], "rare": ["Noir"], "a": ["War"], "b": ["War"]}
    save_items(graph, RELATED, [item_row(id, genres=given) for id, given in genres.items()])
    save_items(graph, RELATED, [item_row("hidden", hidden=True, genres=["Noir", "War"])])

    found = list_similar_by_knowledge(graph, RELATED, "i", 5, ["b"])

    assert [row["id"] for row in found] == ["rare", "a"]
    assert [row["score"] for row in found] == pytest.approx([1 / math.log(5), 1 / math.log(6)])
    assert [r["id"] for r in list_similar_by_knowledge(graph, RELATED, "i", 1)] == ["rare"]
    assert list_similar_by_knowledge(graph, RELATED, "nothing", 5) == []


def test_a_relation_counts_whichever_way_it_goes(graph, domain):
    create_schema(graph, domain)
    row = {"type": "sequel_of", "start": "aliens", "end": "alien", "weight": None}
    save_relations(graph, domain, [row])

    for item, other in (("alien", "aliens"), ("aliens", "alien")):
        assert list_similar_by_knowledge(graph, domain, item, 5) == [{"id": other, "score": 1.0}]


def test_peers_are_by_cosine_and_whoever_was_joined_is_there_once(graph, world):
    people = fetch_people(graph)
    users = world.scorer.user_vectors(world.history, world.residuals)
    row_of = {person: world.user_keys.index(key) for person, key in people.items()}
    vector = query_vector(users[row_of["p0"]], "cosine")
    cosine = {p: float(users[row] @ users[row_of["p0"]]) for p, row in row_of.items()}
    best = sorted((p for p in cosine if p != "p0"), key=lambda p: -cosine[p])

    found = list_peers(graph, "v1", "a", vector, [people["p0"]], 4)
    assert [row["id"] for row in found] == best[:4]
    assert found[0]["score"] == pytest.approx(cosine[best[0]], abs=1e-3)

    join_people(graph, best[1], best[0])
    found = list_peers(graph, "v1", "a", vector, [people["p0"]], 3)
    assert [row["id"] for row in found] == best[1:4]
    assert list_peers(graph, "gone", "a", vector, [], 3) is None
