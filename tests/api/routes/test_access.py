"""Keys over real HTTP: what each may, what is refused alike, and that secrets are in no log."""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api.access.keyring import digest_of, new_secret
from api.access.scopes import GRANTS
from graphdb.api_keys import revoke_api_key, save_api_key
from graphdb.local.processes import wait_until

FORGET = "MATCH (k:ApiKey) DELETE k"
ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
EVENT = {
    "event_type": "rated",
    "user_id": "k1",
    "item_id": "5",
    "value": 4,
    "occurred_at": "2026-02-01T20:15:00Z",
}
REQUESTS = {
    "send": ("POST", "/v1/events?validate_only=true", EVENT),
    "retract": ("DELETE", "/v1/events/rated/absent", None),
    "ask": ("GET", "/v1/recommendations?user_id=p1&k=1", None),
    "similar": ("GET", "/v1/items/5/similar", None),
    "item": ("GET", "/v1/items/5", None),
    "person": ("GET", "/v1/users/p1", None),
    "change": ("PUT", "/v1/users/k2", {"fields": {}}),
    "relate": ("DELETE", "/v1/relations?type=sequel_of&from=1&to=2", None),
    "erase": ("DELETE", "/v1/users/k3", None),
    "metrics": ("GET", "/metrics", None),
    "unknown": ("POST", "/v1/nothing", None),
}
MAY = {
    "events": {"send", "retract"},
    "read": {"ask", "similar", "item", "person"},
    "catalogue": {"change", "relate"},
    "metrics": {"metrics"},
    "public": {"send", "ask", "similar"},
    "admin": set(REQUESTS),
}

Create = Callable[..., list[str]]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def status(client: httpx.Client, name: str, secret: str = "") -> int:
    method, path, body = REQUESTS[name]
    headers = bearer(secret) if secret else {}
    return client.request(method, path, json=body, headers=headers).status_code


@pytest.fixture
def logs(tmp_path_factory) -> Callable[[], str]:
    """What API processes of this run have logged."""
    base = tmp_path_factory.getbasetemp()
    return lambda: "".join(log.read_text() for log in base.glob("home*/api.log"))


@pytest.fixture
def create(module_graph, client) -> Iterator[Create]:
    """Makes keys and gives their secrets once the API knows them; last, all are forgotten."""

    def create(*wanted: dict) -> list[str]:
        made = [new_secret() for _ in range(len(wanted) + 1)]
        for (id, secret), given in zip(made, [*wanted, {"scopes": ["admin"]}], strict=True):
            save_api_key(module_graph, id, digest_of(secret), **{"name": "n", **given})
        # Keys are read all at once: who knows the last, and lets in nobody else, knows them all.
        secrets = ["", made[-1][1]]
        assert wait_until(lambda: [status(client, "person", s) for s in secrets] == [401, 200], 10)
        return [secret for _, secret in made[:-1]]

    yield create
    module_graph.write(FORGET)
    assert wait_until(lambda: status(client, "person") == 200, 10)


def test_without_keys_this_machine_may_do_everything_and_others_nothing(client, logs):
    assert "there is no API key: only this machine is answered" in logs()
    for name, (method, path, body) in REQUESTS.items():
        near = client.request(method, path, json=body)
        far = client.request(method, path, json=body, headers=ELSEWHERE)
        assert near.status_code in {200, 202, 204, 404}, name
        assert far.status_code == 401, name
    assert client.get("/docs", headers=ELSEWHERE).status_code == 401
    assert client.get("/health/ready", headers=ELSEWHERE).status_code == 200


def test_each_scope_may_what_it_says_and_nothing_else(client, create):
    secrets = dict(zip(MAY, create(*({"scopes": [scope]} for scope in MAY)), strict=True))

    assert set(MAY) == set(GRANTS)
    for scope, secret in secrets.items():
        for name in REQUESTS:
            told = status(client, name, secret)
            assert (told != 403) is (name in MAY[scope]), (scope, name, told)
            assert told in {200, 202, 204, 403, 404}, (scope, name, told)


def test_a_refused_key_is_told_which_scope_it_takes(client, create):
    (secret,) = create({"scopes": ["events"]})

    refused = client.get("/v1/users/p1", headers=bearer(secret))

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == (
        "this key may not read people and items: it takes the scope read"
    )


def test_credentials_that_are_no_good_are_refused_alike_and_are_in_no_log(
    client, create, module_graph, logs
):
    past = datetime.now(UTC) - timedelta(hours=1)
    good, revoked, expired = create(
        {"scopes": ["admin"]}, {"scopes": ["admin"]}, {"scopes": ["admin"], "expires_at": past}
    )
    revoke_api_key(module_graph, revoked.split("_")[1])
    assert wait_until(lambda: status(client, "person", revoked) == 401, 2)
    _, foreign = new_secret()
    given = {
        "missing": {},
        "empty": {"Authorization": ""},
        "other scheme": {"Authorization": f"Basic {good}"},
        "bare": {"Authorization": good},
        "wrong": bearer(good[:-4] + "0000"),
        "foreign": bearer(foreign),
        "revoked": bearer(revoked),
        "expired": bearer(expired),
        "long": bearer("x" * 5000),
    }

    told = {}
    for name, headers in given.items():
        for method, path, body in REQUESTS.values():
            answer = client.request(method, path, json=body, headers=headers)
            kept = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}}
            told[name, method, path] = (answer.status_code, answer.text, kept)

    (shape,) = {str(answer) for answer in told.values()}
    assert "401" in shape and "www-authenticate" in shape
    assert status(client, "person", good) == 200
    said = logs()
    assert said
    assert not [s for s in (good, revoked, expired, foreign) if s.split("_", 2)[2][:8] in said]


def test_a_body_is_not_read_before_its_sender_is_known(client, create):
    create()
    head = "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n["

    with socket.create_connection((client.base_url.host, client.base_url.port), 10) as sender:
        sender.sendall(head.encode())
        assert sender.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_beyond_its_rate_a_key_has_to_wait_and_others_do_not(client, create):
    limited, other, free = create(
        {"scopes": ["read"], "rate": 3}, {"scopes": ["read"], "rate": 3}, {"scopes": ["read"]}
    )

    told = [status(client, "item", limited) for _ in range(3)]
    refused = client.get("/v1/items/5", headers=bearer(limited))

    assert told == [200] * 3
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert 15 <= int(refused.headers["retry-after"]) <= 20
    assert refused.json()["detail"] == "this key may ask 3 times a minute"
    assert [status(client, "item", key) for key in (other, free)] == [200, 200]
    # Not even what it may not do is free.
    assert status(client, "person", limited) == 429


def test_metrics_count_who_was_not_let_in(client, create):
    reader, meter = create({"scopes": ["read"]}, {"scopes": ["metrics"]})

    def counted(code: int) -> float:
        text = client.get("/metrics", headers=bearer(meter)).text
        line = f'pathlight_refused_total{{status="{code}"}} '
        return sum(float(x.removeprefix(line)) for x in text.splitlines() if x.startswith(line))

    before = counted(401), counted(403)
    status(client, "item", "plk_x")
    status(client, "erase", reader)

    assert (counted(401), counted(403)) == (before[0] + 1, before[1] + 1)
    assert (
        "pathlight_rate_limits_skipped_total 0.0"
        in client.get("/metrics", headers=bearer(meter)).text
    )


def test_the_documentation_is_open_and_names_the_scopes(client, create):
    create()

    document = client.get("/openapi.json").json()

    assert client.get("/docs").status_code == 200
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"
    asked = document["paths"]["/v1/recommendations"]["post"]
    assert asked["security"] == [
        {"ApiKey": ["read"]},
        {"ApiKey": ["admin"]},
        {"ApiKey": ["public"]},
        {},
    ]
    assert {"401", "403", "429"} <= set(asked["responses"])
    assert "security" not in document["paths"]["/health/ready"]["get"]
