"""Items over real HTTP: saved, changed, listed, deleted; errors by field, effect at once."""

import httpx
import pytest


@pytest.fixture(scope="module")
def put(client):
    def send(path: str, body) -> httpx.Response:
        return client.put(path, json=body)

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


def shown(client, person: str = "p2", k: int = 3) -> list[str]:
    answer = client.get("/v1/recommendations", params={"user_id": person, "k": k}).json()
    assert answer["degraded"] == []
    return [item["id"] for item in answer["items"]]


def similar(client, item: str) -> list[str]:
    answer = client.get(f"/v1/items/{item}/similar", params={"k": 40}).json()
    return [found["id"] for found in answer["items"]]


def test_a_hidden_item_is_in_no_answer(client, put):
    first = shown(client)[0]

    put(f"/v1/items/{first}", {"hidden": True})
    assert first not in shown(client)

    put(f"/v1/items/{first}", {"hidden": False})
    assert shown(client)[0] == first


@pytest.mark.parametrize(
    ("gone", "back"),
    [
        ({"expires_at": "2026-01-01T00:00:00Z"}, {"expires_at": None}),
        ({"expires_at": "2026-01-01T00:00:00Z"}, {"expires_at": "2126-01-01T00:00:00Z"}),
        ({"hidden": True}, {"hidden": False}),
    ],
)
def test_hiding_and_expiry_take_effect_in_the_next_answer_of_every_kind(client, gone, back):
    near = similar(client, "5")[0]
    first, popular = shown(client)[0], shown(client, "a stranger")[0]

    for item in {near, first, popular}:
        assert client.patch(f"/v1/items/{item}", json=gone).status_code == 204
    assert first not in shown(client, k=40)
    assert popular not in shown(client, "a stranger", k=40)
    assert near not in similar(client, "5")

    for item in {near, first, popular}:
        assert client.patch(f"/v1/items/{item}", json=back).status_code == 204
    assert (shown(client)[0], shown(client, "a stranger")[0]) == (first, popular)
    assert similar(client, "5")[0] == near


def test_a_deleted_item_is_in_no_answer_and_comes_back_bare_by_an_event(client, put):
    first = shown(client, "p4")[0]

    assert client.delete(f"/v1/items/{first}").status_code == 204
    assert client.delete(f"/v1/items/{first}").status_code == 204
    assert first not in shown(client, "p4", k=40)
    assert client.get(f"/v1/items/{first}").status_code == 404
    event = {"event_type": "rated", "user_id": "late", "item_id": first, "occurred_at": 1767600000}
    assert client.post("/v1/events", params={"wait": True}, json=event).status_code == 202

    item = client.get(f"/v1/items/{first}").json()
    assert (item["fields"], item["hidden"]) == ({}, False)
    assert put(f"/v1/items/{first}", {"fields": {"title": f"Film {first}"}}).status_code == 204


def test_what_was_saved_is_read_back(client, put):
    fields = {"title": "Kolya", "year": 1996, "genres": ["Comedy", "Drama"]}
    put("/v1/items/kolya", {"fields": fields, "expires_at": "2126-01-01T01:00:00+01:00"})

    item = client.get("/v1/items/kolya").json()

    assert item.pop("created_at").startswith("20")
    assert item == {
        "id": "kolya",
        "fields": fields,
        "hidden": False,
        "expires_at": "2126-01-01T00:00:00Z",
    }


def test_a_patch_merges_and_null_removes(client, put):
    put("/v1/items/patched", {"fields": {"title": "Ran", "year": 1985, "genres": ["War"]}})

    change = {"fields": {"year": None, "overview": "A king divides his land."}}
    assert client.patch("/v1/items/patched", json=change).status_code == 204

    fields = client.get("/v1/items/patched").json()["fields"]
    assert fields == {"title": "Ran", "overview": "A king divides his land.", "genres": ["War"]}
    wrong = client.patch("/v1/items/patched", json={"fields": {"year": "x", "titel": None}})
    assert [error["field"] for error in wrong.json()["errors"]] == ["fields.year", "fields.titel"]


def test_what_is_not_there_is_not_found_but_may_be_deleted(client):
    assert client.get("/v1/items/none").status_code == 404
    assert client.patch("/v1/items/none", json={"hidden": True}).status_code == 404
    assert client.delete("/v1/items/none").status_code == 204


def test_a_batch_is_judged_row_by_row(client):
    rows = [
        {"id": "b1", "fields": {"title": "One"}},
        {"id": "b1", "fields": {"title": "One"}},
        {"id": "b1", "fields": {"title": "Other"}},
        {"id": "b2", "fields": {"titel": "Two"}},
        {"id": "b3", "hidden": True},
        "nothing",
    ]

    answer = client.post("/v1/items:batch", json=rows)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 1)
    assert [(r["index"], r["code"], r["field"]) for r in body["rejected"]] == [
        (2, "conflict", "id"),
        (3, "unknown_field", "fields.titel"),
        (5, "not_an_object", ""),
    ]
    assert client.get("/v1/items/b1").json()["fields"] == {"title": "One"}
    assert client.get("/v1/items/b3").json()["hidden"] is True


@pytest.mark.parametrize(
    ("body", "status"), [([], 422), ({"id": "1"}, 422), ([{"id": "1"}] * 1001, 413)]
)
def test_a_batch_is_a_list_of_one_to_a_thousand(client, body, status):
    assert client.post("/v1/items:batch", json=body).status_code == status


def test_pages_list_every_item_once(client, module_graph):
    found, cursor = [], None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/items", params=params).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    everything = module_graph.read("MATCH (i:Item) RETURN i.id AS id ORDER BY id")
    assert [item["id"] for item in found] == [row["id"] for row in everything]


@pytest.mark.parametrize("params", [{"cursor": "x"}, {"cursor": "é"}, {"limit": 0}, {"page": 2}])
def test_a_page_that_is_not_understood_is_refused_by_name(client, params):
    answer = client.get("/v1/items", params=params)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"query.{next(iter(params))}"
