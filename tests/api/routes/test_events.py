"""POST /v1/events over real HTTP: row by row, repeatable, and counted in the next answer."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

EVENT = {
    "event_id": "e1",
    "event_type": "rated",
    "user_id": "p0",
    "item_id": "39",
    "occurred_at": "2026-01-05T20:15:00Z",
    "value": 4,
}


@pytest.fixture(scope="module")
def post(module_api):
    def send(body, **params) -> httpx.Response:
        return httpx.post(f"{module_api}/v1/events", json=body, params=params, trust_env=False)

    return send


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

    first, second = post(rows).json(), post(rows).json()

    assert (first["accepted"], first["duplicates"]) == (20, 0)
    assert (second["accepted"], second["duplicates"]) == (0, 20)
    count = module_graph.read("MATCH (:User {id: 'twice'})-[r]->() RETURN count(r) AS n")
    assert count == [{"n": 20}]


def test_an_event_counts_in_the_next_answer(post, module_api):
    def ask() -> list[str]:
        query = {"user_id": "p3", "k": 5}
        url = f"{module_api}/v1/recommendations"
        return [i["id"] for i in httpx.get(url, params=query, trust_env=False).json()["items"]]

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


def test_nan_in_the_json_itself_is_refused_by_name(module_api):
    text = '{"event_type":"rated","user_id":"a","item_id":"1","occurred_at":1,"value":NaN}'

    answer = httpx.post(
        f"{module_api}/v1/events",
        content=text,
        trust_env=False,
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "value"


def test_a_time_more_than_a_day_ahead_is_refused_and_one_within_is_flagged(post, module_graph):
    def ahead(hours: float) -> str:
        return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()

    answer = post(
        [
            event(1, user_id="clock", occurred_at=ahead(25)),
            event(2, user_id="clock", occurred_at=ahead(2)),
        ]
    ).json()

    assert answer["accepted"] == 1
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [(0, "time_in_future")]
    skew = (
        "MATCH (:User {id: 'clock'})-[r]->() RETURN r.clock_skew AS s, r.at <= r.received_at AS ok"
    )
    assert module_graph.read(skew) == [{"s": True, "ok": True}]


def test_the_same_id_with_other_content_alone_is_a_conflict(post):
    post(event(1, user_id="conflict"))

    answer = post(event(1, user_id="conflict", value=1))

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "conflict"


def test_validate_only_stores_nothing(post, module_graph):
    answer = post([event(1, user_id="only"), {}], validate_only=True)

    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (1, 1)
    assert module_graph.read("MATCH (u:User {id: 'only'}) RETURN u") == []


@pytest.mark.parametrize(("body", "status"), [([], 422), ([EVENT] * 10_001, 413)])
def test_a_list_is_of_one_to_ten_thousand(post, body, status):
    assert post(body).status_code == status


def test_ten_thousand_rows_go_in_one_request(post):
    rows = [
        event(n, user_id=f"u{n % 200}", item_id=str(n % 39), event_id=f"m{n}")
        for n in range(10_000)
    ]

    answer = post(rows)

    assert answer.json()["accepted"] == 10_000


@pytest.mark.parametrize("content", ["{", "", "[1,", "nonsense"])
def test_what_is_not_json_is_a_problem(module_api, content):
    answer = httpx.post(
        f"{module_api}/v1/events",
        content=content,
        trust_env=False,
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_hostile_text_is_stored_as_text(post, module_graph):
    hostile = "x'}) DETACH DELETE n // <b>&amp;\u202e"

    assert post(event(1, user_id=hostile, event_id="hostile")).status_code == 202

    found = module_graph.read("MATCH (u:User {id: $id})-[r]->() RETURN count(r) AS n", id=hostile)
    assert found == [{"n": 1}]
