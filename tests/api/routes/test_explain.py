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


def test_an_explanation_tells_what_it_is_asked_to(client, module_graph):
    query = {"item": "7", "include": ["paths", "cypher"], "reasons": 2}

    found = client.get("/v1/users/p3/explain", params=query).json()

    for reason in found["reasons"][:2]:
        asked = reason["cypher"]
        [row] = module_graph.read(asked["statement"], **asked["parameters"])
        assert row == {name: reason["path"][name] for name in row}


@pytest.mark.parametrize(
    ("path", "params", "status", "field"),
    [
        ("p3", {}, 422, "query.item"),
        ("p3", {"item": "1", "with": "2"}, 422, "query.with"),
        ("p3", {"item": "1", "without": "no such"}, 422, "query.without"),
        ("p3", {"item": "1", "reasons": 0}, 422, "query.reasons"),
        ("p3", {"item": "1", "include": "reasons"}, 422, "query.include.0"),
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


def test_an_item_of_a_served_list_is_explained_for_whom_it_was_shown_to(client):
    shown = client.post("/v1/recommendations", json={"user_id": "p3", "k": 4}).json()
    id, item = shown["recommendation_id"], shown["items"][2]

    found = client.get(f"/v1/recommendations/{id}/explain", params={"item": item["id"]}).json()
    plain = client.get("/v1/users/p3/explain", params={"item": item["id"]}).json()

    assert found["recommendation_id"] == id
    assert found["shown"]["rank"] == 3
    assert found["shown"]["score"] == pytest.approx(item["score"])
    assert found["shown"]["sources"] == item["sources"]
    assert found["shown"]["model_version"] == found["model_version"] == "v1"
    own = ("recommendation_id", "shown", "took_ms")
    assert {k: v for k, v in found.items() if k not in own} == {
        k: v for k, v in plain.items() if k not in own
    }


def test_what_was_not_shown_or_to_nobody_known_cannot_be_explained(client):
    def kept(**body) -> dict:
        return client.post("/v1/recommendations", json={"k": 2, **body}).json()

    personal, session = kept(user_id="p3"), kept(session=["1"])
    for list_id, item in (
        ("nothing", "1"),
        (personal["recommendation_id"], "no such"),
        (session["recommendation_id"], session["items"][0]["id"]),
    ):
        answer = client.get(f"/v1/recommendations/{list_id}/explain", params={"item": item})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
