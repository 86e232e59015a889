"""What the graph adds to reasons: it is told, and no contribution changes by it."""

import pytest

from api.answers.answer import Query
from graphdb.answers.retrieval import NewEvent
from graphdb.catalogue.catalogue import save_items
from graphdb.exploration import explore
from tests.rows import item_row

EVERYTHING = frozenset({"knowledge", "paths", "cypher"})


def events_of(answer):
    return [(i.id, r) for i in answer.items for r in i.reasons if r.kind == "event"]


@pytest.fixture
def explained(world, recommender):
    return recommender.recommend(Query("p4", k=10, reasons=10, told=EVERYTHING))


def test_each_path_is_what_its_cypher_fetches(graph, explained):
    shapes = set()
    for item, reason in events_of(explained):
        asked = reason.cypher
        found = explore(graph, asked["statement"], asked["parameters"])
        path = {name: reason.path[name] for name in ("nodes", "relationships")}
        assert [dict(zip(found.columns, row, strict=True)) for row in found.rows] == [path]
        user, because, *end = [node["id"] for node in path["nodes"]]
        assert (user, because) == ("p4", reason.item_id)
        assert end in ([], [item])
        shapes.add(len(end))
    assert shapes == {0, 1}


def test_what_a_path_carries_is_the_contribution(world, explained):
    for item, reason in events_of(explained):
        carries, (_, *weighed) = reason.path["carries"], reason.path["relationships"]
        assert sum(carries.values()) == pytest.approx(reason.contribution, abs=1e-9)
        weight = weighed[0]["weight"] if weighed else 0.0
        assert carries["similar"] == pytest.approx(world.scorer.blend * weight, abs=1e-6)
        rows = [world.item_ids.index(id) for id in (reason.item_id, item)]
        assert world.scorer.similar[*rows] == pytest.approx(weight, abs=1e-6)


def test_what_is_told_changes_no_score_and_no_share(recommender, explained):
    plain = recommender.recommend(Query("p4", k=10, reasons=10))

    assert [i.score for i in plain.items] == [i.score for i in explained.items]
    for one, other in zip(events_of(plain), events_of(explained), strict=True):
        assert one[1].share == other[1].share
        assert (one[1].knowledge, one[1].path, one[1].cypher) == (None, None, None)


def test_knowledge_is_between_the_items_of_a_reason(graph, domain, world, recommender):
    best = recommender.recommend(Query("p4", k=1, reasons=2))
    item, because = best.items[0].id, best.items[0].reasons[1].item_id
    both = [item_row(i, title=f"Film {i}", genres=["Noir"]) for i in (item, because)]
    save_items(graph, domain, both)

    answer = recommender.recommend(Query("p4", k=1, reasons=2, told=frozenset({"knowledge"})))

    first, second = (reason for _, reason in events_of(answer))
    assert second.knowledge == [{"kind": "shared", "by": "genres", "id": "Noir", "items": 2}]
    assert (first.knowledge, second.path) == (None, None)


def test_attention_is_told_as_what_it_is_where_there_is_any(graph, world, recommender):
    query = Query("p4", k=1, reasons=2, told=frozenset({"attention"}))
    assert [r.attention for _, r in events_of(recommender.recommend(query))] == [None, None]
    graph.write("MATCH (:User {id: 'p4'})-[r:RATED]->() SET r.attention_a = 0.1")

    told = events_of(recommender.recommend(query))

    assert [r.attention for _, r in told] == [{"share": 0.1, "attribution": False}] * 2


def test_a_sessions_paths_begin_at_its_items(graph, world, recommender):
    session = (NewEvent("3", "", 1.0, True), NewEvent("5", "", 1.0, True))

    answer = recommender.recommend(Query("", k=20, reasons=2, told=EVERYTHING, session=session))

    drawn = [reason for _, reason in events_of(answer) if reason.path]
    assert 0 < len(drawn) < len(events_of(answer))
    for reason in drawn:
        assert [node["label"] for node in reason.path["nodes"]] == ["Item", "Item"]
        found = explore(graph, reason.cypher["statement"], reason.cypher["parameters"])
        assert found.rows == [[reason.path["nodes"], reason.path["relationships"]]]


def test_from_memory_nothing_is_told_of_reasons(world, recommender, serving, monkeypatch):
    recommender.recommend(Query("p4"))
    monkeypatch.setattr(serving.breaker, "call", down)

    answer = recommender.recommend(Query("p4", k=2, reasons=2, told=EVERYTHING))

    assert answer.degraded == ["graph"]
    assert all(r.path is None and r.knowledge is None for _, r in events_of(answer))


def down(*_):
    from graphdb.errors import GraphUnavailableError

    raise GraphUnavailableError("down")
