"""Rankings over real HTTP: read by the API itself, without what was hidden since."""

import httpx
import pytest

from tests.api.conftest import until_ranked


@pytest.fixture(scope="module")
def popular(client, module_api) -> list[dict]:
    """The popular list, once the API has read it."""
    until_ranked(module_api)
    return client.get("/v1/rankings/popular", params={"k": 5}).json()["items"]


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
    assert client.get("/v1/rankings/popular", params={"include": "reasons"}).status_code == 422
    assert client.get("/v1/rankings/popular", params={"user_id": "p1"}).status_code == 422


def test_a_name_that_there_is_not_is_answered_with_those_that_there_are(client, popular):
    answer = client.get("/v1/rankings/best")

    assert answer.status_code == 404
    known = "trending, popular, latest, classics"
    assert answer.json()["detail"] == f"there is no ranking 'best'; there are {known}"
    assert client.get("/v1/rankings/classics").json()["items"] == []
