"""Ranking over real HTTP: the order of recommendations, what is not known last."""

import pytest


def rank(client, **body) -> dict:
    return client.post("/v1/rank", json=body).json()


def test_a_list_is_put_into_the_order_of_the_persons_recommendations(client):
    best = client.get("/v1/recommendations", params={"user_id": "p6", "k": 6}).json()["items"]
    mine = [item["id"] for item in best]

    answer = rank(
        client, user_id="p6", items=["x", *reversed(mine), "y"], include=["reasons", "item"]
    )

    assert [item["id"] for item in answer["items"]] == [*mine, "x", "y"]
    assert [item["rank"] for item in answer["items"]] == list(range(1, 9))
    assert answer["items"][-1] == {
        "id": "y",
        "rank": 8,
        "score": None,
        "sources": ["given"],
        "item": {},
    }
    assert (answer["fallback"], answer["model_version"]) == (None, "v1")
    for item, asked in zip(answer["items"], best, strict=False):
        assert item["score"] == pytest.approx(asked["score"], abs=1e-5)
        total = sum(reason["contribution"] for reason in item["reasons"])
        assert total == pytest.approx(item["score"], abs=1e-6)
        assert item["item"]["title"] == f"Film {item['id']}"


def test_seen_items_are_ranked_and_hidden_ones_are_not(client):
    client.put("/v1/items/ranked-hidden", json={"fields": {}, "hidden": True})
    everything = [str(n) for n in range(40)]

    answer = rank(client, user_id="p6", items=["ranked-hidden", *everything])

    assert sorted(item["id"] for item in answer["items"]) == sorted(everything)


def test_a_stranger_gets_the_popular_order_and_a_session_its_own(client):
    items = [str(n) for n in range(10)]

    stranger = rank(client, user_id="nobody at all", items=items)
    session = rank(client, session=["20", "21"], items=items)

    scores = [item["score"] for item in stranger["items"]]
    assert stranger["fallback"] == "popular"
    assert scores == sorted(scores, reverse=True)
    assert session["fallback"] is None
    assert {item["id"] for item in session["items"]} == set(items)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"items": []}, "body.items"),
        ({"items": ["1", "1"]}, "body.items"),
        ({"items": [str(n) for n in range(501)]}, "body.items"),
        ({"session": ["1"]}, "body.session"),
        ({"k": 3}, "body.k"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(client, changed, field):
    answer = client.post("/v1/rank", json={"user_id": "p6", "items": ["1"], **changed})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
