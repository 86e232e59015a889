"""Answers over real HTTP: the two forms alike, unknown parameters refused, reasons that add up."""

import httpx
import pytest

from graphdb.local.processes import wait_until
from ingest.stream.served import ServedLists
from ingest.stream.stream import EventStream
from tests.api.routes.conftest import said
from tests.api.versions import PEOPLE


@pytest.fixture(scope="module")
def ask(client):
    def get(path: str = "/v1/recommendations", **params) -> httpx.Response:
        return client.get(path, params=params)

    return get


def test_both_forms_give_the_same_answer(ask, client):
    query = {"user_id": "p5", "k": 4, "exclude_ids": ["1", "2"], "include": ["reasons", "item"]}

    got = ask(**query).json()
    posted = client.post("/v1/recommendations", json=query).json()

    assert said(got) == said(posted)
    assert got["model_version"] == "v1"
    assert [item["rank"] for item in got["items"]] == [1, 2, 3, 4]
    assert not {"1", "2"} & {item["id"] for item in got["items"]}


def test_reasons_are_the_score(ask):
    for person in range(PEOPLE):
        answer = ask(user_id=f"p{person}", k=10, include=["reasons"]).json()
        for item in answer["items"]:
            total = sum(reason["contribution"] for reason in item["reasons"])
            assert total == pytest.approx(item["score"], abs=1e-6)
            assert sum(r["share"] for r in item["reasons"]) == pytest.approx(1)


def test_only_what_was_asked_for_is_in_the_answer(ask):
    item = ask(user_id="p5", k=1).json()["items"][0]

    assert set(item) == {"id", "rank", "score", "sources"}


def test_knowledge_paths_and_cypher_are_beside_the_reasons(ask, client):
    query = {"user_id": "p5", "k": 4, "include": ["knowledge", "paths", "cypher"]}

    got = ask(**query).json()
    posted = client.post("/v1/recommendations", json=query).json()

    assert said(got) == said(posted)
    told = [r for item in got["items"] for r in item["reasons"] if r["kind"] == "event"]
    assert len(told) == 12
    for reason in told:
        assert sum(reason["path"]["carries"].values()) == pytest.approx(reason["contribution"])
        assert reason["path"]["nodes"][0] == {"label": "User", "id": "p5"}
        assert reason["cypher"]["parameters"]["because"] == reason["item_id"]
    for item in got["items"]:
        total = sum(reason["contribution"] for reason in item["reasons"])
        assert total == pytest.approx(item["score"], abs=1e-6)


def test_an_unknown_person_gets_the_popular_list_and_is_told_so(ask):
    answer = ask(user_id="nobody at all", k=3).json()

    assert (answer["fallback"], len(answer["items"])) == ("popular", 3)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"user_id": ""},
        {"user_id": "a", "anonymous_id": "b"},
        {"user_id": "a", "session": ["1"]},
        {"user_id": "a", "k": 0},
        {"user_id": "a", "k": 501},
        {"user_id": "a", "k": "many"},
        {"user_id": "a", "limit": 5},
        {"user_id": "a", "include": "everything"},
        {"user_id": "x" * 300},
    ],
)
def test_what_is_not_understood_is_refused_by_name(ask, params):
    answer = ask(**params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"].startswith("query.")


def test_similar_items_over_http(ask):
    answer = ask("/v1/items/5/similar", k=3).json()

    assert len(answer["items"]) == 3
    assert "5" not in {item["id"] for item in answer["items"]}


def test_similar_to_an_unknown_item_is_a_404_problem(ask):
    answer = ask("/v1/items/no%20such/similar")

    assert answer.status_code == 404
    assert "no such" in answer.json()["detail"]


def test_asking_stores_nothing(ask, module_graph, redis_url):
    count = "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN count(DISTINCT n) AS n, count(r) AS r"
    # What was kept before is on its way.
    lists = ServedLists(EventStream(redis_url))
    assert wait_until(lambda: lists.waiting() == 0, 30)
    before = module_graph.read(count)

    ask(user_id="p1", include=["reasons"])
    ask(user_id="a stranger")
    ask("/v1/items/5/similar")

    assert module_graph.read(count) == before


def test_a_session_may_be_items_or_events_and_both_forms_take_it(ask, client):
    items = {"session": ["3", "5"], "k": 4}
    event = {"item_id": "3", "event_type": "dismissed"}

    got = ask(**items).json()
    posted = client.post("/v1/recommendations", json=items).json()
    disliked = client.post("/v1/recommendations", json={"session": [event, "5"], "k": 4}).json()

    assert said(got) == said(posted)
    assert (got["fallback"], len(got["items"])) == (None, 4)
    assert not {"3", "5"} & {item["id"] for item in got["items"] + disliked["items"]}
    assert disliked["items"] != got["items"]


def test_an_anonymous_person_is_asked_for_by_their_own_id(ask, client):
    event = {
        "event_type": "rated",
        "anonymous_id": "tab",
        "item_id": "3",
        "occurred_at": "2026-01-05T20:15:00Z",
    }
    sent = client.post("/v1/events", params={"wait": True}, json=event)

    answer = ask(anonymous_id="tab", k=5).json()

    assert sent.status_code == 202
    assert answer["fallback"] is None
    assert "3" not in {item["id"] for item in answer["items"]}


def test_a_session_that_cannot_be_read_is_refused_by_its_place(client):
    for session, field in (
        ([], "body.session"),
        (["1", {"item_id": "1", "event_type": "bought"}], "body.session.1.event_type"),
        (["1", {"item_id": "1", "event_type": "rated", "at": 1}], "body.session.1.SessionEvent.at"),
    ):
        answer = client.post("/v1/recommendations", json={"session": session})
        assert answer.status_code == 422
        assert field in {error["field"] for error in answer.json()["errors"]}


def test_similar_items_are_alike_in_what_is_asked_for(ask, client):
    for item in ("alike-1", "alike-2"):
        fields = {"title": item, "genres": ["Noir of its own"]}
        assert client.put(f"/v1/items/{item}", json={"fields": fields}).status_code == 204

    known = ask("/v1/items/alike-1/similar", by="knowledge").json()["items"]

    assert [(item["id"], item["sources"]) for item in known] == [("alike-2", ["knowledge"])]
    assert ask("/v1/items/alike-1/similar", by="behaviour").json()["items"] == []
    assert ask("/v1/items/alike-1/similar", by="colour").status_code == 422


@pytest.fixture(scope="module")
def nineties(client) -> set[str]:
    """Items that the world gets beside its own fields: every fourth is of 1990 to 1999."""
    rows = [
        {"id": str(n), "fields": {"title": f"Film {n}", "year": 1990 + n % 40}} for n in range(40)
    ]
    assert client.post("/v1/items:batch", json=rows).json()["accepted"] == 40
    return {str(n) for n in range(10)}


def test_both_forms_take_a_filter(ask, client, nineties):
    query = {"user_id": "p5", "k": 4, "filter": "year in 1990..1999", "exclude_seen": False}

    got = ask(**query).json()
    posted = client.post("/v1/recommendations", json=query).json()

    assert said(got) == said(posted)
    assert len(got["items"]) == 4
    assert {item["id"] for item in got["items"]} <= nineties
    assert "empty" not in got


def test_a_filter_that_leaves_nothing_says_so(ask, nineties):
    answer = ask(user_id="p5", filter="year < 1900").json()

    assert (answer["items"], answer["fallback"]) == ([], None)
    assert answer["empty"] == "no item that may be shown passes the filter"


def test_a_filter_that_cannot_be_read_is_refused_with_its_place(ask, client):
    deep = "(" * 1000 + "year = 1" + ")" * 1000
    for text, position in (("year = x", 8), (deep, 32), ("stars = 5", 1), ("", 1)):
        got = ask(user_id="p5", filter=text)
        posted = client.post("/v1/recommendations", json={"user_id": "p5", "filter": text})

        for answer, place in ((got, "query"), (posted, "body")):
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            (wrong,) = answer.json()["errors"]
            assert (wrong["field"], wrong["position"]) == (f"{place}.filter", position)
            assert wrong["detail"].startswith(f"at character {position}: ")


def test_both_forms_take_boosts(ask, client, nineties):
    query = {"user_id": "p5", "k": 10, "boost": ["year < 2000 by 10"], "exclude_seen": False}

    got = ask(**query).json()
    posted = client.post("/v1/recommendations", json=query).json()

    assert said(got) == said(posted)
    boosted = {item["id"] for item in got["items"] if "boost" in item}
    assert boosted == {item["id"] for item in got["items"]} & nineties
    assert boosted
    assert ask(user_id="p5", boost=["year < 2000 by 2", "year"]).json()["errors"] == [
        {
            "field": "query.boost.1",
            "position": 5,
            "detail": "at character 5: expected =, !=, <, <=, >, >=, or in after year, "
            "found the end",
        }
    ]
