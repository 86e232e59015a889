"""Explanations over real HTTP: reasons that add up, what would change, what is refused."""

import pytest


def test_what_would_change_without_the_top_reason(client):
    top = client.get("/v1/recommendations", params={"user_id": "p3", "k": 1}).json()["items"][0]

    plain = client.get("/v1/users/p3/explain", params={"item": top["id"]}).json()
    reason = max(
        (r for r in plain["reasons"] if r["kind"] == "event"), key=lambda r: r["contribution"]
    )
    found = client.get(
        "/v1/users/p3/explain", params={"item": top["id"], "without": reason["item_id"]}
    ).json()

    assert (plain["rank"], plain["changed"], plain["degraded"]) == (1, None, [])
    assert plain["score"] == pytest.approx(top["score"], abs=1e-4)
    assert found["without"] == [reason["item_id"]]
    assert found["reasons"] == plain["reasons"]
    assert found["changed"]["score"] != pytest.approx(plain["score"], abs=1e-4)
    for judged in (found, found["changed"]):
        total = sum(r["contribution"] for r in judged["reasons"])
        assert total == pytest.approx(judged["score"], abs=1e-6)
    assert reason["item_id"] not in {r.get("item_id") for r in found["changed"]["reasons"]}


@pytest.mark.parametrize(
    ("path", "params", "status", "field"),
    [
        ("p3", {}, 422, "query.item"),
        ("p3", {"item": "1", "with": "2"}, 422, "query.with"),
        ("p3", {"item": "1", "without": "no such"}, 422, "query.without"),
        ("p3", {"item": "1", "reasons": 0}, 422, "query.reasons"),
        ("p3", {"item": "no such"}, 404, None),
        ("nobody", {"item": "1"}, 404, None),
    ],
)
def test_what_cannot_be_explained_is_a_problem(client, path, params, status, field):
    answer = client.get(f"/v1/users/{path}/explain", params=params)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if field:
        assert answer.json()["errors"][0]["field"] == field
