"""Lists that are kept, over real HTTP: tied to their outcomes, paged through without repeats."""

import pytest

from api.loop.publication import publish
from graphdb.versions.versions import rollback
from tests.api.routes.conftest import said
from tests.api.versions import build_artifact

WAITED = {"wait": True}


@pytest.fixture
def post(client):
    def post(**body) -> dict:
        answer = client.post("/v1/recommendations", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


def test_an_outcome_is_tied_to_the_list_that_it_names(client, post, module_graph):
    answer = post(user_id="p6", k=3, scenario="home", context={"page": "start"})
    item = answer["items"][1]["id"]
    event = {
        "event_type": "watched",
        "user_id": "p6",
        "item_id": item,
        "occurred_at": "2026-02-05T20:15:00Z",
        "recommendation_id": answer["recommendation_id"],
        "event_id": "chosen",
    }
    for _ in range(2):
        assert client.post("/v1/events", params=WAITED, json=event).status_code == 202

    found = module_graph.read(
        """
        MATCH (:User {id: 'p6'})<-[:SHOWN_TO]-(l:ServedList {id: $id})<-[o:OUTCOME]-(u:User)
        RETURN l.scenario AS scenario, l.context AS context, l.model_version AS version,
               l.items AS items, u.id AS user, o.type AS type, o.rank AS rank, o.item AS item
        """,
        id=answer["recommendation_id"],
    )
    assert found == [
        {
            "scenario": "home",
            "context": '{"page":"start"}',
            "version": "v1",
            "items": [item["id"] for item in answer["items"]],
            "user": "p6",
            "type": "WATCHED",
            "rank": 2,
            "item": item,
        }
    ]


def test_items_newer_than_the_version_are_kept_and_paged_without_a_score(client, post):
    items = [{"id": f"newer{n}", "fields": {"genres": ["Newer"]}} for n in range(3)]
    assert client.post("/v1/items:batch", json=items).json()["accepted"] == 3
    asked = {"user_id": "p6", "k": 2, "filter": 'genres has "Newer"'}
    try:
        first = post(**asked)
        last = post(**asked, cursor=first["next_cursor"])
    finally:
        for item in items:
            client.delete(f"/v1/items/{item['id']}")

    told = [*first["items"], *last["items"]]
    assert [(item["score"], item["sources"]) for item in told] == [(None, ["latest"])] * 3
    assert {item["id"] for item in told} == {item["id"] for item in items}
    assert [item["rank"] for item in told] == [1, 2, 3]
    assert last["recommendation_id"] and last["next_cursor"] is None


def test_pages_repeat_nothing_though_events_arrive_and_end(client, post):
    asked = {"user_id": "p8", "k": 7}
    pages = [post(**asked)]
    while cursor := pages[-1]["next_cursor"]:
        event = {
            "event_type": "rated",
            "user_id": "p8",
            "item_id": pages[-1]["items"][0]["id"],
            "occurred_at": "2026-02-05T20:15:00Z",
            "value": 5,
        }
        assert client.post("/v1/events", params=WAITED, json=event).status_code == 202
        pages.append(post(**asked, cursor=cursor))

    shown = [item for page in pages for item in page["items"]]
    assert len({item["id"] for item in shown}) == len(shown) > 20
    assert [item["rank"] for item in shown] == list(range(1, len(shown) + 1))
    assert len(pages[-1]["items"]) < 7
    assert len({page["recommendation_id"] for page in pages}) == len(pages)


def test_a_dry_run_keeps_nothing(post, client):
    kept, dry = post(user_id="p9", k=3), post(user_id="p9", k=3, dry_run=True)

    assert said(dry) == said(kept)
    assert not {"recommendation_id", "next_cursor"} & dry.keys()
    assert kept["recommendation_id"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"cursor": "nothing"}, "body.cursor"),
        ({"scenario": ""}, "body.scenario"),
        ({"scenario": "x" * 101}, "body.scenario"),
        ({"context": [1]}, "body.context"),
        ({"context": {"deep": [[[[[[[[[1]]]]]]]]]}}, "body.context"),
        ({"dry_run": "perhaps"}, "body.dry_run"),
    ],
)
def test_what_a_list_cannot_be_kept_with_is_refused(client, given, field):
    answer = client.post("/v1/recommendations", json={"user_id": "p1", **given})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.faults
def test_pages_repeat_nothing_though_versions_come_and_go(post, module_graph, module_home):
    asked = {"user_id": "p10", "k": 6}
    pages = [post(**asked)]
    build_artifact(module_graph, module_home / "artifacts" / "v2", seed=5)
    publish(module_graph, module_home / "artifacts" / "v2")
    pages.append(post(**asked, cursor=pages[-1]["next_cursor"]))
    pinned = [post(**asked, dry_run=True, model_version=id) for id in ("v1", "v2")]
    rollback(module_graph)
    pages += [post(**asked, cursor=pages[-1]["next_cursor"])]

    shown = [item["id"] for page in pages for item in page["items"]]
    assert [page["model_version"] for page in pages] == ["v1", "v2", "v1"]
    assert len(set(shown)) == len(shown) == 18
    assert [answer["model_version"] for answer in pinned] == ["v1", "v2"]
    assert pinned[0]["items"] == pages[0]["items"] != pinned[1]["items"]


def test_a_version_that_cannot_answer_is_refused(client):
    answer = client.get("/v1/recommendations", params={"user_id": "p1", "model_version": "v9"})

    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "model_version"
    assert "v1" in error["detail"]
