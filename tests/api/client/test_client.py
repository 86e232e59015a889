"""Both clients against a real API: every route, refusals, rates, and events that are never lost."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.access.keyring import digest_of, new_secret
from api.client import ApiError, AsyncClient, Client, FullError, Lost, Retries, Tracking
from graphdb.api_keys import save_api_key
from graphdb.local.processes import choose_port, wait_until
from tests.api import faults
from tests.api.conftest import api_at, process_settings, until_mapped

AT = "2026-01-05T20:15:00Z"
FORGET = "MATCH (k:ApiKey) DELETE k"
ARRIVED_S = 30
TRACK = """
import asyncio
from api.client import AsyncClient, Client

url, event = {url!r}, {{"event_type": "rated", "user_id": "at", "item_id": "3"}}

async def track():
    client = AsyncClient(url)
    for number in range(100):
        await client.track(event_id=f"async{{number}}", **event)

client = Client(url)
for number in range(100):
    client.track(event_id=f"exit{{number}}", **event)
asyncio.run(track())
raise SystemExit("it ends by an error")
"""


@pytest.fixture(scope="module")
def client(module_api) -> Iterator[Client]:
    with Client(module_api, timeout_s=60) as client:
        yield client


def rated(user: str, item: str, **given) -> dict:
    event = {"event_type": "rated", "user_id": user, "item_id": item, "occurred_at": AT}
    return {**event, **given}


def arrived(graph, prefix: str, number: int) -> bool:
    """Whether so many events with ids of this prefix, and no more, come to be in the graph."""
    wait_until(lambda: len(faults.stored(graph, prefix)) >= number, ARRIVED_S, 0.1)
    return len(faults.stored(graph, prefix)) == number


def test_the_catalogue_is_saved_changed_read_and_removed(client):
    client.put_item("c/1", fields={"title": "Kolya", "year": 1996}, hidden=True)
    client.patch_item("c/1", fields={"year": None}, hidden=False)
    assert client.put_items([{"id": "c2"}, {"id": "c3", "fields": {"stars": 1}}])["rejected"][
        0
    ] == {
        "index": 1,
        "code": "unknown_field",
        "field": "fields.stars",
        "detail": client.put_items([{"id": "c3", "fields": {"stars": 1}}])["rejected"][0]["detail"],
    }
    saved = client.get_item("c/1")
    page = client.list_items(limit=1)

    assert (saved["fields"], saved["hidden"]) == ({"title": "Kolya"}, False)
    assert len(page["items"]) == 1
    assert client.list_items(limit=1, cursor=page["next_cursor"])["items"] != page["items"]
    client.delete_item("c/1")
    client.delete_item("c2")
    with pytest.raises(ApiError) as gone:
        client.get_item("c/1")
    assert gone.value.status == 404


def test_people_are_saved_joined_read_and_erased(client):
    client.put_user("u1", fields={"occupation": "librarian"})
    client.patch_user("u1", fields={"occupation": None})
    assert client.put_users([{"id": "u2"}])["accepted"] == 1
    assert client.merge_user("u1", source="u2") == {"user_id": "u1"}
    assert client.get_user("u1")["fields"] == {}
    assert client.get_user("u2")["same_as"] == "u1"
    assert len(client.list_users(limit=2)["users"]) == 2
    follows = [{"type": "follows", "from": "p3", "to": "p4"}]
    assert client.save_relations(follows)["accepted"] == 1
    assert client.delete_relation("follows", "p3", "p4") is None
    client.delete_user("u1")
    with pytest.raises(ApiError, match="was erased") as erased:
        client.put_user("u1")
    assert erased.value.status == 410


def test_lists_come_with_their_reasons(client):
    answer = client.recommend(user_id="p1", k=3, include=["reasons", "item"], exclude_ids=["5"])
    first = answer["items"][0]
    parts = sum(reason["contribution"] for reason in first["reasons"])

    assert parts == pytest.approx(first["score"], abs=1e-5)
    rows = client.page(user_id="p1", rows=[{"k": 2}, {"k": 2}])["rows"]
    assert len({item["id"] for row in rows for item in row["items"]}) == 4
    ranked = client.rank(user_id="p1", items=["7", "8", "new"])
    assert ranked["items"][-1]["id"] == "new"
    latest = client.ranking("latest", k=2, include=["item"])
    assert [item["sources"] for item in latest["items"]] == [["latest"]] * 2
    similar = client.similar_items("7", k=2, exclude_ids=["1", "2"])
    assert {item["id"] for item in similar["items"]}.isdisjoint({"1", "2", "7"})
    assert len(client.similar_users("p1", k=3)["users"]) == 3
    told = client.explain("p1", item=first["id"], reasons=1)
    assert told["score"] == pytest.approx(first["score"], abs=1e-5)
    shown = client.explain_shown(answer["recommendation_id"], item=first["id"])
    assert shown["shown"]["rank"] == 1


def test_events_are_sent_now_told_by_the_row_and_taken_back(client, module_graph):
    rows = [rated("now", "3", event_id="now1"), rated("now", "3", event_type="bought")]
    sent = client.send_events(rows, wait=True)

    assert (sent["accepted"], sent["rejected"][0]["code"]) == (1, "unknown_event_type")
    assert client.send_events(rows[:1], wait=True)["duplicates"] == 1
    client.retract_event("rated", "now1")
    assert faults.stored(module_graph, "now") == []


def test_a_refusal_carries_the_problem(client):
    with pytest.raises(ApiError, match=r"the request is not valid \(body\.k: ") as refused:
        client.recommend(user_id="p1", k=0)

    assert (refused.value.status, refused.value.title) == (422, "Unprocessable Entity")
    assert refused.value.errors[0]["field"] == "body.k"
    assert len(refused.value.request_id) >= 16


def test_an_api_that_is_not_there_is_an_error_of_its_own():
    url = f"http://127.0.0.1:{choose_port(0)}"
    with (
        Client(url, retries=Retries(attempts=2, pause_s=0.01)) as client,
        pytest.raises(ApiError, match=f"the API at {url} did not answer") as error,
    ):
        client.get_item("1")

    assert error.value.status is None


def test_what_is_no_json_raises_where_it_is_tracked(client):
    with pytest.raises(TypeError):
        client.track(event_type="rated", item_id="1", user_id="p1", value={1})  # ty: ignore
    with pytest.raises(ValueError, match="not JSON compliant"):
        client.track(event_type="rated", item_id="1", user_id="p1", value=float("nan"))


def test_a_key_that_is_no_header_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="printable ASCII") as refused:
        Client("http://127.0.0.1:1", "plk_secret\n")

    assert "secret" not in str(refused.value)


def test_both_take_the_key_and_wait_as_long_as_its_rate_asks(module_api, module_graph, monkeypatch):
    """A minute's requests at once, and those beyond it a second later each."""
    id, secret = new_secret()
    save_api_key(module_graph, id, digest_of(secret), name="n", scopes=["admin"], rate=60)
    monkeypatch.setenv("PATHLIGHT_API_KEY", secret)
    impatient = Retries(attempts=1)

    def status(key: str | None) -> int | None:
        with Client(module_api, key, retries=impatient) as client:
            try:
                client.get_user("p1")
            except ApiError as error:
                return error.status
        return 200

    async def ask() -> str:
        async with AsyncClient(module_api) as client:
            return (await client.get_user("p2"))["id"]

    try:
        assert wait_until(lambda: [status(""), status(None)] == [401, 200], 10, 0.2)
        with Client(module_api) as client, Client(module_api, retries=impatient) as other:
            begun = time.monotonic()
            for _ in range(60):
                client.get_user("p1")
            with pytest.raises(ApiError, match="60 times a minute") as refused:
                for _ in range(20):
                    other.get_user("p1")
            waiting = time.monotonic()
            assert client.get_user("p1")["id"] == "p1"
            assert asyncio.run(ask()) == "p2"
            assert time.monotonic() - waiting >= 1
            assert (refused.value.status, refused.value.retry_after) == (429, 1)
            assert secret not in repr((refused.value, vars(refused.value)))
            assert time.monotonic() - begun < 60
    finally:
        module_graph.write(FORGET)
        assert wait_until(lambda: status("") == 200, 10, 0.2)


def test_the_async_client_does_all_of_it_at_once(module_api, module_graph):
    lost: list[Lost] = []

    async def ask() -> list[list[str]]:
        tracking = Tracking(batch=5, on_lost=lost.extend)
        async with AsyncClient(module_api, timeout_s=60, tracking=tracking) as client:
            asked = [client.recommend(user_id=f"p{n}", k=2, dry_run=True) for n in range(8)]
            answers = await asyncio.gather(*asked)
            for number in range(12):
                await client.track(**rated("as", "3", event_id=f"aio{number}"))
            await client.track(**rated("as", "3", event_type="bought"))
            assert await client.flush()
            with pytest.raises(ApiError, match="there is no item"):
                await client.get_item("nothing")
        return [[item["id"] for item in answer["items"]] for answer in answers]

    found = asyncio.run(ask())

    assert all(len(items) == 2 for items in found)
    assert len({tuple(items) for items in found}) > 1
    assert [each.code for each in lost] == ["unknown_event_type"]
    assert arrived(module_graph, "aio", 12)


def test_an_event_loop_waits_for_room_without_standing_still():
    """Nobody listens: the first event stays, and a second finds no room."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    async def ask() -> None:
        tracking = Tracking(most_waiting=1, block_s=0.3, exit_s=0)
        url = f"http://127.0.0.1:{choose_port(0)}"
        async with AsyncClient(url, tracking=tracking) as client:
            turning = asyncio.create_task(turn())
            await client.track(**rated("as", "3"))
            with pytest.raises(FullError):
                await client.track(**rated("as", "3"))
            turning.cancel()

    asyncio.run(ask())

    assert turns > 5


@pytest.mark.faults
def test_what_was_tracked_is_sent_when_the_process_ends(module_api, module_graph):
    """By an error, without having closed anything, and after the event loop."""
    ended = subprocess.run(
        [sys.executable, "-c", TRACK.format(url=module_api)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == "it ends by an error\n"
    assert arrived(module_graph, "exit", 100)
    assert arrived(module_graph, "async", 100)


@pytest.mark.faults
def test_an_api_killed_and_started_again_while_events_are_tracked_loses_none(
    module_api, module_graph, neo4j_address, redis_url, module_home
):
    """module_api: for the consumer beside it."""
    port, lost, stopped = choose_port(0), [], threading.Event()
    settings = process_settings(neo4j_address, module_home, redis_url)
    tracked = 0

    def track(client: Client) -> None:
        nonlocal tracked
        while not stopped.wait(0.002):
            client.track(**rated("kill", "3", event_id=f"kill{tracked}"))
            tracked += 1

    tracking = Tracking(batch=20, every_s=0.1, on_lost=lost.extend)
    with Client(f"http://127.0.0.1:{port}", tracking=tracking) as client:
        with api_at(settings, module_home, port) as url, faults.Client(url) as probe:
            until_mapped(url)
            thread = threading.Thread(target=track, args=(client,))
            thread.start()
            assert wait_until(lambda: len(faults.stored(module_graph, "kill")) > 100, 30, 0.05)
            os.kill(faults.api_pid(probe), signal.SIGKILL)
        with api_at(settings, module_home, port):
            stopped.set()
            thread.join()
            assert client.flush(60)

    assert lost == []
    assert arrived(module_graph, "kill", tracked)
