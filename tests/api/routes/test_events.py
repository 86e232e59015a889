"""POST /v1/events over real HTTP: row by row, repeatable, and counted in the next answer."""

import gzip
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from graphdb.local.processes import wait_until
from ingest.stream.dead_letters import DeadLetters
from ingest.stream.stream import EventStream

pytestmark = pytest.mark.faults

EVENT = {
    "event_id": "e1",
    "event_type": "rated",
    "user_id": "p0",
    "item_id": "39",
    "occurred_at": "2026-01-05T20:15:00Z",
    "value": 4,
}


@pytest.fixture(scope="module")
def post(client):
    def send(body, **params) -> httpx.Response:
        return client.post("/v1/events", json=body, params=params)

    return send


@pytest.fixture(scope="module")
def delete(client):
    def send(event_type: str, event_id: str) -> httpx.Response:
        return client.delete(f"/v1/events/{event_type}/{quote(event_id, safe='')}")

    return send


@pytest.fixture(scope="module")
def module_letters(redis_url) -> Iterator[DeadLetters]:
    stream = EventStream(redis_url)
    yield DeadLetters(stream)
    stream.close()


def event(n: int, **given) -> dict:
    return {**EVENT, "event_id": f"{given.get('user_id', 'p0')}-{n}", **given}


def test_a_batch_is_judged_row_by_row(post):
    rows = [
        event(1, user_id="batch"),
        event(1, user_id="batch"),
        {k: v for k, v in event(2).items() if k != "user_id"},
        event(3, user_id="batch", value="five"),
        event(4, user_id="batch", item_id="12"),
        event(5, user_id="batch", flavour="mint"),
        "nothing",
        event(1, user_id="batch", item_id="13"),
    ]

    answer = post(rows)

    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 1)
    assert [(r["index"], r["code"], r["field"]) for r in body["rejected"]] == [
        (2, "missing_field", "user_id"),
        (3, "invalid_value", "value"),
        (5, "unknown_field", "flavour"),
        (6, "not_an_object", ""),
        (7, "conflict", "event_id"),
    ]


def test_the_same_batch_twice_is_counted_once(post, module_graph):
    rows = [event(n, user_id="twice", item_id=str(n)) for n in range(20)]

    first, second = post(rows, wait=True).json(), post(rows, wait=True).json()

    assert (first["accepted"], first["duplicates"]) == (20, 0)
    assert (second["accepted"], second["duplicates"]) == (0, 20)
    count = module_graph.read("MATCH (:User {id: 'twice'})-[r]->() RETURN count(r) AS n")
    assert count == [{"n": 20}]


def test_an_event_counts_in_the_next_answer(post, client):
    def ask() -> list[str]:
        answer = client.get("/v1/recommendations", params={"user_id": "p3", "k": 5})
        return [i["id"] for i in answer.json()["items"]]

    first = ask()[0]

    assert post(event(1, user_id="p3", item_id=first), wait=True).status_code == 202

    assert first not in ask()


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"user_id": None}, 422, "missing_field", "user_id"),
        ({"value": "NaN"}, 422, "invalid_value", "value"),
        ({"event_type": "bought"}, 422, "unknown_event_type", "event_type"),
        ({"session_id": "x" * 1_000_000}, 422, "too_large", "session_id"),
        ({"user_id": "a\x00b"}, 422, "invalid_value", "user_id"),
    ],
)
def test_a_single_bad_event_is_a_problem_that_names_the_field(post, change, status, code, field):
    answer = post({**EVENT, **change})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["code"], error["field"]) == (code, field)
    assert len(answer.text) < 2000


def test_nan_in_the_json_itself_is_refused_by_name(client):
    text = '{"event_type":"rated","user_id":"a","item_id":"1","occurred_at":1,"value":NaN}'

    answer = send_raw(client, text, content_type="application/json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "value"


def test_a_time_more_than_a_day_ahead_is_refused_and_one_within_is_flagged(post, module_graph):
    def ahead(hours: float) -> str:
        return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()

    answer = post(
        [
            event(1, user_id="clock", occurred_at=ahead(25)),
            event(2, user_id="clock", occurred_at=ahead(2)),
        ],
        wait=True,
    ).json()

    assert answer["accepted"] == 1
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [(0, "time_in_future")]
    skew = (
        "MATCH (:User {id: 'clock'})-[r]->() RETURN r.clock_skew AS s, r.at <= r.received_at AS ok"
    )
    assert module_graph.read(skew) == [{"s": True, "ok": True}]


def test_waiting_tells_duplicates_and_conflicts_exactly(post):
    post(event(1, user_id="conflict"), wait=True)

    alone = post(event(1, user_id="conflict", value=1), wait=True)
    listed = post([event(n, user_id="conflict", value=4 - n % 2) for n in (1, 2, 4)], wait=True)
    again = post(event(4, user_id="conflict", value=4), wait=True)

    assert alone.status_code == 409
    assert alone.json()["errors"][0]["code"] == "conflict"
    assert listed.status_code == 202
    assert listed.json()["accepted"] == 2
    assert [(r["index"], r["code"]) for r in listed.json()["rejected"]] == [(0, "conflict")]
    assert (again.status_code, again.json()["duplicates"]) == (202, 1)


def test_without_waiting_events_are_in_the_graph_within_five_seconds(post, module_graph):
    count = "MATCH (:User {id: 'soon'})-[r]->() RETURN count(r) AS n"
    begun = time.monotonic()

    answer = post([event(n, user_id="soon") for n in range(10)])

    assert (answer.status_code, answer.json()["accepted"]) == (202, 10)
    assert wait_until(lambda: module_graph.read(count) == [{"n": 10}], 30, 0.02)
    assert time.monotonic() - begun < 5


def send_raw(client: httpx.Client, content, *, params=None, **headers) -> httpx.Response:
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return client.post("/v1/events", content=content, params=params, headers=headers)


@pytest.mark.parametrize("packed", [False, True])
def test_ndjson_is_judged_line_by_line(client, packed):
    lines = [
        json.dumps(event(1, user_id=f"lines{packed}")),
        "{",
        "",
        json.dumps(event(2, user_id=f"lines{packed}", session_id="\ud800")),
        "[" * 100_000,
        json.dumps(event(3, user_id=f"lines{packed}")),
        '{"value": ' + "9" * 5000 + "}",
    ]
    content = "\r\n".join(lines).encode()
    headers = {"content_type": "application/x-ndjson"}
    if packed:
        content, headers = gzip.compress(content), {**headers, "content_encoding": "gzip"}

    answer = send_raw(client, content, **headers, params={"wait": True})

    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted"] == 2
    assert [(r["index"], r["code"]) for r in answer.json()["rejected"]] == [
        (1, "invalid_json"),
        (2, "invalid_value"),
        (3, "invalid_json"),
        (5, "invalid_json"),
    ]


def test_a_body_of_another_kind_is_refused(client):
    assert send_raw(client, b"a,b", content_type="text/csv").status_code == 415
    kind = {"content_type": "application/json"}
    assert send_raw(client, b"{}", **kind, content_encoding="br").status_code == 415
    assert send_raw(client, b"{}", **kind, content_encoding="gzip").status_code == 422
    torn = gzip.compress(b"{}")[:-4]
    assert send_raw(client, torn, **kind, content_encoding="gzip").status_code == 422
    assert send_raw(client, b"\n\n", content_type="application/x-ndjson").status_code == 422
    many = (json.dumps(EVENT) + "\n").encode() * 10_001
    assert send_raw(client, many, content_type="application/x-ndjson").status_code == 413


def test_an_anonymous_person_s_events_are_kept_with_all_their_fields(post, module_graph):
    told = {
        "event_type": "rated",
        "anonymous_id": "cookie",
        "item_id": "7",
        "occurred_at": "2026-01-05T20:15:00Z",
        "impressions": ["7", "8"],
        "position": 3,
        "recommendation_id": "r1",
        "session_id": "s1",
        "context": {"device": "tv"},
        "properties": {"why": ["gift"]},
    }

    assert post(told, wait=True).json()["accepted"] == 1
    assert post(told, wait=True).json()["duplicates"] == 1

    (found,) = module_graph.read(
        "MATCH (:User {id: 'anonymous:cookie'})-[r:RATED]->(:Item {id: '7'}) RETURN r {.*} AS r"
    )
    kept = ("impressions", "position", "recommendation_id", "session_id")
    assert {name: found["r"][name] for name in kept} == {name: told[name] for name in kept}
    assert json.loads(found["r"]["context"]) == {"device": "tv"}
    assert found["r"]["received_at"] is not None


def test_what_is_older_than_the_horizon_becomes_a_dead_letter_once(post, module_letters):
    old = event(1, user_id="old", occurred_at="1985-01-01T00:00:00Z")

    answers = [post([old, event(2, user_id="old")]) for _ in range(2)]

    for answer in answers:
        assert answer.json()["accepted"] == 1
        assert [(r["index"], r["code"]) for r in answer.json()["rejected"]] == [(0, "too_old")]
    mine = [x for x in module_letters.list_letters() if x.row["user_id"] == "old"]
    assert [(x.reason, x.row["event_id"], x.source) for x in mine] == [("too_old", "old-1", "api")]


def test_an_event_taken_back_is_gone_and_stays_away(post, delete, module_graph):
    count = "MATCH (:User {id: 'regret'})-[r]->() RETURN count(r) AS n"
    liked = event(1, user_id="regret", event_id="a/b?c d")
    post(liked, wait=True)

    first = delete("rated", "a/b?c d")
    after = module_graph.read(count)
    again = post([liked], wait=True)

    assert first.status_code == 204
    assert after == [{"n": 0}]
    assert again.json()["accepted"] == 0
    assert [r["code"] for r in again.json()["rejected"]] == ["dropped"]
    assert delete("rated", "a/b?c d").status_code == 204
    assert delete("rated", "never there").status_code == 204
    assert delete("bought", "x").status_code == 404
    assert module_graph.read(count) == [{"n": 0}]


def test_taking_back_wins_over_the_event_that_still_waits(post, delete, module_graph):
    rows = [event(n, user_id="race", event_id=f"race{n}") for n in range(200)]

    post(rows)
    taken_back = [delete("rated", f"race{n}").status_code for n in range(0, 200, 20)]

    assert set(taken_back) == {204}
    assert post(rows[1], wait=True).json()["duplicates"] == 1
    left = module_graph.read("MATCH (:User {id: 'race'})-[r]->() RETURN count(r) AS n")
    assert left == [{"n": 190}]


def test_validate_only_stores_nothing(post, module_graph):
    answer = post([event(1, user_id="only"), {}], validate_only=True)

    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (1, 1)
    assert module_graph.read("MATCH (u:User {id: 'only'}) RETURN u") == []


@pytest.mark.parametrize(("body", "status"), [([], 422), ([EVENT] * 10_001, 413)])
def test_a_list_is_of_one_to_ten_thousand(post, body, status):
    assert post(body).status_code == status


def test_ten_thousand_rows_go_in_one_request_and_reach_the_graph(post, module_graph):
    rows = [
        event(n, user_id=f"many{n % 200}", item_id=str(n % 39), event_id=f"m{n}")
        for n in range(10_000)
    ]

    answer = post(rows)

    assert answer.json()["accepted"] == 10_000
    count = "MATCH (u:User)-[r]->() WHERE u.id STARTS WITH 'many' RETURN count(r) AS n"
    assert wait_until(lambda: module_graph.read(count) == [{"n": 10_000}], 120, 0.2)


@pytest.mark.parametrize("content", ["{", "", "[1,", "nonsense"])
def test_what_is_not_json_is_a_problem(client, content):
    answer = send_raw(client, content, content_type="application/json")

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_hostile_text_is_stored_as_text(post, module_graph):
    hostile = "x'}) DETACH DELETE n // <b>&amp;\u202e"

    assert post(event(1, user_id=hostile, event_id="hostile"), wait=True).status_code == 202

    found = module_graph.read("MATCH (u:User {id: $id})-[r]->() RETURN count(r) AS n", id=hostile)
    assert found == [{"n": 1}]
