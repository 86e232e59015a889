"""Rankings over real HTTP: read by the API itself, without what was hidden since."""

import time

import httpx
import pytest


@pytest.fixture(scope="module")
def popular(client) -> list[dict]:
    """The popular list, once the API has read it."""
    for _ in range(100):
        items = client.get("/v1/rankings/popular", params={"k": 5}).json()["items"]
        if items:
            return items
        time.sleep(0.3)
    pytest.fail("nothing was read")


def test_the_api_reads_its_rankings_by_itself(client, popular):
    answer = client.get("/v1/rankings/latest", params={"k": 3, "include": ["item"]}).json()

    assert [item["rank"] for item in popular] == [1, 2, 3, 4, 5]
    assert [item["sources"] for item in answer["items"]] == [["latest"]] * 3
    assert all(item["item"]["title"] == f"Film {item['id']}" for item in answer["items"])
    assert (answer["degraded"], answer["fallback"], answer["model_version"]) == ([], None, None)
    assert answer["as_of"]


def test_what_is_hidden_or_left_out_is_gone_at_once(client, popular):
    first, second = popular[0]["id"], popular[1]["id"]
    fields = {"title": f"Film {first}"}
    client.put(f"/v1/items/{first}", json={"fields": fields, "hidden": True})
    try:
        answer = client.get("/v1/rankings/popular", params={"k": 5, "exclude_ids": [second]})
    finally:
        client.put(f"/v1/items/{first}", json={"fields": fields})

    assert not {first, second} & {item["id"] for item in answer.json()["items"]}
    assert len(answer.json()["items"]) == 5


def test_what_is_not_understood_is_refused(client: httpx.Client):
    assert client.get("/v1/rankings/best").status_code == 422
    assert client.get("/v1/rankings/popular", params={"include": "reasons"}).status_code == 422
    assert client.get("/v1/rankings/popular", params={"user_id": "p1"}).status_code == 422
