"""People over real HTTP: saved, joined, erased; one person's answers whichever id asks."""

import pytest

AT = "2026-01-05T20:15:00Z"


def answer(client, person: str, **asked) -> dict:
    found = client.get("/v1/recommendations", params={"user_id": person, "k": 10, **asked}).json()
    assert found["degraded"] == []
    return {**found, "took_ms": 0}


def ids(found: dict) -> list[str]:
    return [item["id"] for item in found["items"]]


def send(client, person: dict, *items: str) -> dict:
    rows = [{"event_type": "rated", "item_id": item, "occurred_at": AT, **person} for item in items]
    return client.post("/v1/events", params={"wait": True}, json=rows).json()


def test_a_person_is_saved_changed_and_read(client):
    fields = {"age": 41, "occupation": "librarian"}
    assert client.put("/v1/users/p1", json={"fields": fields}).status_code == 204
    assert client.get("/v1/users/p1").json()["fields"] == fields

    assert client.patch("/v1/users/p1", json={"fields": {"age": None}}).status_code == 204
    user = client.get("/v1/users/p1").json()
    assert (user["fields"], user["same_as"]) == ({"occupation": "librarian"}, None)

    assert client.put("/v1/users/p1", json={"fields": {"age": 42}}).status_code == 204
    assert client.get("/v1/users/p1").json()["fields"] == {"age": 42}


def test_what_is_not_there_is_not_found(client):
    assert client.get("/v1/users/none").status_code == 404
    assert client.patch("/v1/users/none", json={"fields": {}}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "/v1/users/p1", {"hidden": True}, "body.hidden"),
        ("PUT", "/v1/users/p1", {"fields": {"age": 4.5}}, "fields.age"),
        ("PUT", "/v1/users/anonymous:a", {"fields": {}}, "id"),
        ("PUT", f"/v1/users/{'x' * 300}", {"fields": {}}, "id"),
        ("POST", "/v1/users/p1:merge", {}, "body"),
        ("POST", "/v1/users/p1:merge", {"source": "a", "anonymous_id": "b"}, "body"),
        ("POST", "/v1/users/p1:merge", {"source": "anonymous:a"}, "body.source"),
        ("POST", "/v1/users/anonymous:a:merge", {"source": "p1"}, "path.target"),
    ],
)
def test_a_mistake_is_a_problem_that_names_the_field(client, method, path, body, field):
    found = client.request(method, path, json=body)

    assert found.status_code == 422
    assert found.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in found.json()["errors"]] == [field]


def test_a_batch_and_pages(client):
    rows = [{"id": f"b{n}", "fields": {"age": n}} for n in range(5)] + [{"id": "b0", "shoe": 3}]

    batch = client.post("/v1/users:batch", json=rows).json()
    first = client.get("/v1/users", params={"limit": 2}).json()
    second = client.get("/v1/users", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    assert (batch["accepted"], [r["field"] for r in batch["rejected"]]) == (5, ["shoe"])
    listed = [user["id"] for user in first["users"] + second["users"]]
    assert len(listed) == 4
    assert listed == sorted(listed)
    assert listed[:4] == [f"b{n}" for n in range(4)]


def test_joined_people_are_one_in_every_answer(client):
    """What the one did in the version's training and the other did since, both count for both."""
    source, target = answer(client, "p6"), answer(client, "p7")
    assert source != target
    send(client, {"anonymous_id": "a7"}, ids(target)[0])

    for body in ({"source": "p6"}, {"anonymous_id": "a7"}):
        for _ in range(2):
            merged = client.post("/v1/users/p7:merge", json=body)
            assert (merged.status_code, merged.json()) == (200, {"user_id": "p7"})

    joined = answer(client, "p7", k=40)
    assert joined == answer(client, "p6", k=40) == answer(client, "anonymous:a7", k=40)
    assert ids(target)[0] not in ids(joined)
    assert client.get("/v1/users/p6").json()["same_as"] == "p7"
    reasons = answer(client, "p7", k=3, include=["reasons"])
    for item in reasons["items"]:
        for reason in item["reasons"]:
            assert reason["kind"] != "event" or reason["at"]


def test_a_person_joined_to_one_is_not_joined_to_another(client):
    assert client.post("/v1/users/p0:merge", json={"anonymous_id": "x"}).status_code == 200

    found = client.post("/v1/users/p1:merge", json={"anonymous_id": "x"})

    assert found.status_code == 409
    assert found.headers["content-type"] == "application/problem+json"


def test_an_erased_person_is_a_stranger_at_once_and_stays_one(client, module_graph):
    stranger = answer(client, "a stranger")
    client.post("/v1/users/p8:merge", json={"anonymous_id": "shadow"})
    assert answer(client, "p8")["fallback"] is None

    assert client.delete("/v1/users/p8").status_code == 204
    assert client.delete("/v1/users/p8").status_code == 204

    assert answer(client, "p8") == answer(client, "anonymous:shadow") == stranger
    for method, path, body in (
        ("PUT", "/v1/users/p8", {"fields": {}}),
        ("PATCH", "/v1/users/p8", {"fields": {}}),
        ("POST", "/v1/users/p8:merge", {"source": "p9"}),
        ("POST", "/v1/users/p9:merge", {"anonymous_id": "shadow"}),
        ("POST", "/v1/relations", {"type": "follows", "from": "p9", "to": "p8"}),
    ):
        assert client.request(method, path, json=body).status_code == 410, (method, path)
    batch = client.post("/v1/users:batch", json=[{"id": "p8"}, {"id": "p9"}]).json()
    assert [(r["index"], r["code"]) for r in batch["rejected"]] == [(0, "erased")]
    send(client, {"user_id": "p8"}, "3")
    send(client, {"anonymous_id": "shadow"}, "3")
    assert client.get("/v1/users/p8").status_code == 404
    named = "MATCH (n) WHERE any(k IN keys(n) WHERE toStringOrNull(n[k]) CONTAINS $id) RETURN n"
    assert module_graph.read(named, id="p8") == module_graph.read(named, id="shadow") == []
