"""Relations over real HTTP: row by row, repeatable, of the domain's types only."""

import pytest

FOLLOWS = {"type": "follows", "from": "p1", "to": "p2"}
COUNT = "MATCH (:User)-[r:FOLLOWS]->(:User) RETURN count(r) AS n"


def test_a_batch_is_judged_row_by_row(client, module_graph):
    rows = [
        {**FOLLOWS, "weight": 0.5},
        {**FOLLOWS, "weight": 0.5},
        {**FOLLOWS, "to": "p1"},
        {"type": "likes_genre", "from": "p1", "to": "Horror"},
        {"type": "hates", "from": "p1", "to": "p2"},
    ]

    for _ in range(2):
        answer = client.post("/v1/relations", json=rows)
        body = answer.json()
        assert (answer.status_code, body["accepted"], body["duplicates"]) == (200, 2, 1)
        assert [(r["index"], r["code"], r["field"]) for r in body["rejected"]] == [
            (2, "invalid_value", "to"),
            (4, "unknown_relation", "type"),
        ]

    assert module_graph.read(COUNT) == [{"n": 1}]
    liked = "MATCH (:User {id: 'p1'})-[:LIKES_GENRE]->(g:Genre) RETURN g.id AS id"
    assert module_graph.read(liked) == [{"id": "Horror"}]


def test_one_relation_alone_is_taken_or_a_problem(client):
    assert client.post("/v1/relations", json={**FOLLOWS, "to": "p3"}).json()["accepted"] == 1

    answer = client.post("/v1/relations", json={**FOLLOWS, "weight": "much"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "weight"


def test_a_relation_is_deleted_and_again(client, module_graph):
    client.post("/v1/relations", json={**FOLLOWS, "to": "p4"})
    before = module_graph.read(COUNT)[0]["n"]

    for _ in range(2):
        assert client.delete("/v1/relations", params={**FOLLOWS, "to": "p4"}).status_code == 204

    assert module_graph.read(COUNT) == [{"n": before - 1}]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({**FOLLOWS, "type": "hates"}, "type"),
        ({"type": "follows", "from": "p1"}, "query.to"),
        ({**FOLLOWS, "weight": 1}, "query.weight"),
    ],
)
def test_a_deletion_that_is_not_understood_is_refused_by_name(client, params, field):
    answer = client.delete("/v1/relations", params=params)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(("body", "status"), [([], 422), ([FOLLOWS] * 10_001, 413), (3, 422)])
def test_a_list_is_of_one_to_ten_thousand(client, body, status):
    assert client.post("/v1/relations", json=body).status_code == status
