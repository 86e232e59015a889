"""People like a person over real HTTP."""


def test_people_alike_are_listed_and_the_person_is_not_among_them(client):
    answer = client.get("/v1/users/p3/similar", params={"k": 4}).json()

    scores = [user["score"] for user in answer["users"]]
    assert (answer["model_version"], len(scores)) == ("v1", 4)
    assert scores == sorted(scores, reverse=True)
    assert "p3" not in {user["id"] for user in answer["users"]}


def test_somebody_without_events_is_like_nobody_and_a_stranger_is_not_found(client):
    client.put("/v1/users/eventless", json={"fields": {}})

    assert client.get("/v1/users/eventless/similar").json()["users"] == []
    assert client.get("/v1/users/nobody%20at%20all/similar").status_code == 404
    assert client.get("/v1/users/p3/similar", params={"by": "text"}).status_code == 422
