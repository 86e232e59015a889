"""PUT of items and users over real HTTP: whole replacement, errors by field, effect at once."""

import httpx
import pytest


@pytest.fixture(scope="module")
def put(module_api):
    def send(path: str, body) -> httpx.Response:
        return httpx.put(module_api + path, json=body, trust_env=False)

    return send


def test_an_item_is_saved_whole(put, module_graph):
    fields = {"title": "Ran", "year": 1985, "genres": ["War"]}
    assert put("/v1/items/ran", {"fields": fields}).status_code == 204
    assert put("/v1/items/ran", {"fields": {"title": "Ran"}}).status_code == 204

    row = module_graph.read(
        "MATCH (i:Film {id: 'ran'}) RETURN i.title AS title, i.year AS year, "
        "COUNT { (i)-[:HAS_GENRE]->() } AS genres"
    )
    assert row == [{"title": "Ran", "year": None, "genres": 0}]


def test_an_id_may_hold_a_slash(put, module_graph):
    assert put("/v1/items/a%2Fb", {"fields": {"title": "Slash"}}).status_code == 204

    assert module_graph.read("MATCH (i:Item {id: 'a/b'}) RETURN i.title AS t") == [{"t": "Slash"}]


def test_a_user_is_saved_whole(put, module_graph):
    assert put("/v1/users/p1", {"fields": {"age": 41}}).status_code == 204

    assert module_graph.read("MATCH (u:User {id: 'p1'}) RETURN u.age AS age") == [{"age": 41}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"fields": {"titel": "x"}}, "fields.titel"),
        ({"fields": {"year": "1985"}}, "fields.year"),
        ({"fields": {"genres": "War"}}, "fields.genres"),
        ({"colour": 1}, "body.colour"),
        ({"hidden": "perhaps"}, "body.hidden"),
        ([], "body"),
    ],
)
def test_a_mistake_is_a_problem_that_names_the_field(put, body, field):
    answer = put("/v1/items/1", body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_hidden_item_is_in_no_answer(put, module_api):
    def shown() -> list[str]:
        url = f"{module_api}/v1/recommendations"
        params = {"user_id": "p2", "k": 3}
        return [i["id"] for i in httpx.get(url, params=params, trust_env=False).json()["items"]]

    first = shown()[0]

    put(f"/v1/items/{first}", {"hidden": True})
    assert first not in shown()

    put(f"/v1/items/{first}", {"hidden": False})
    assert shown()[0] == first
