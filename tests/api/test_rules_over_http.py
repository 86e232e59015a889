"""Rules of a domain over real HTTP: pages that go on, and caps that count what was just shown."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.loop.publication import publish
from graphdb.catalogue.catalogue import save_items
from graphdb.connection import Graph
from graphdb.local.processes import wait_until
from graphdb.schema import create_schema
from ingest.stream.served import ServedLists
from ingest.stream.stream import EventStream
from tests.api.conftest import api_on, consumer_on, until_mapped
from tests.api.versions import build_artifact, fill_graph
from tests.conftest import empty_stream_of
from tests.rows import item_row
from tests.ruled import RULED, TEXT
from tests.wiping import wipe


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "artifacts").mkdir()
    (home / "ruled.toml").write_text(TEXT)
    return home


@pytest.fixture(scope="module")
def client(neo4j_address, redis_url, home) -> Iterator[httpx.Client]:
    """Asks an API beside which nobody writes lists."""
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, RULED)
        fill_graph(graph, RULED)
        genres = ["Drama", "Comedy", "War", "Noir"]
        rows = [
            item_row(str(n), genres=[genres[n % 4]], tags=["sponsored"] if n % 7 == 0 else [])
            for n in range(40)
        ]
        save_items(graph, RULED, rows)
        build_artifact(graph, home / "artifacts" / "v1")
        publish(graph, home / "artifacts" / "v1")
    empty_stream_of(redis_url)
    told = {"PATHLIGHT_DOMAIN": str(home / "ruled.toml"), "PATHLIGHT_REDIS_URL": redis_url}
    with (
        api_on(address, home, **told, PATHLIGHT_GRAPH_PATIENCE_S="30") as url,
        httpx.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        until_mapped(url)
        yield client


@pytest.fixture(scope="module")
def post(client):
    def post(path: str = "", **body) -> dict:
        answer = client.post(f"/v1/recommendations{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post


def listed(*answers: dict) -> list[tuple]:
    return [(i["id"], i["rank"], i.get("rule")) for answer in answers for i in answer["items"]]


@pytest.mark.parametrize("person", ["p0", "a stranger"])
def test_pages_obey_as_one_list_does(post, person):
    whole = post(user_id=person, k=8, dry_run=True)

    first = post(user_id=person, k=3)
    second = post(user_id=person, k=5, cursor=first["next_cursor"])
    third = post(user_id=person, k=5, cursor=second["next_cursor"])

    assert listed(first, second) == listed(whole)
    assert [rank for _, rank, rule in listed(whole) if rule == "sponsored"] == [2]
    assert (third["items"], third["next_cursor"]) == ([], None)


def test_what_stands_beside_a_list_is_not_in_its_groups(post):
    alone = post(user_id="p2", k=8, dry_run=True)

    page = post(":page", user_id="p2", rows=[{"k": 4}, {"k": 8}])
    first, second = page["rows"]
    more = post(user_id="p2", k=8, cursor=first["next_cursor"])

    assert listed(first) == listed(alone)[:4]
    assert len(second["items"]) == 8
    assert [rank for _, rank, _ in listed(first, more)] == list(range(1, 9))
    genres = [int(id) % 4 for id, _, _ in listed(first, more)]
    assert {genres.count(genre) for genre in genres} == {2}


def test_what_was_shown_a_moment_ago_counts_once_whether_it_is_written_yet_or_not(
    post, neo4j_address, redis_url, home
):
    lists = ServedLists(EventStream(redis_url))

    answers = [post(user_id="p1", k=3) for _ in range(3)]

    shown = {item["id"] for item in answers[0]["items"]}
    assert listed(answers[0]) == listed(answers[1])
    assert not shown & {item["id"] for item in answers[2]["items"]}
    assert {"rule": "tired", "items": 3} in answers[2]["rules"]
    assert lists.waiting() >= 3
    waiting = post(user_id="p1", k=3, dry_run=True)
    with consumer_on(neo4j_address, home, redis_url):
        assert wait_until(lambda: lists.waiting() == 0, 60)
    written = post(user_id="p1", k=3, dry_run=True)

    assert listed(written) == listed(waiting) == listed(answers[2])
    assert written["degraded"] == []
