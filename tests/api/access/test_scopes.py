"""The table of needs and the door; over real HTTP with real keys in tests/api/routes."""

import asyncio

import httpx
import pytest

from api.access.scopes import GRANTS, NEEDS, Need, need_of, scopes_for
from api.app import create_app

PAGE = "https://shop.example"


@pytest.mark.parametrize(
    ("method", "path", "need"),
    [
        ("GET", "/v1/items/a/b/similar", Need.ASK),
        ("GET", "/v1/items/a/b", Need.READ),
        ("POST", "/v1/users/a/b:merge", Need.CHANGE),
        ("DELETE", "/v1/users/a\nb", Need.ERASE),
        ("DELETE", "/v1/events/rated/a/b", Need.RETRACT),
        ("HEAD", "/v1/items", None),
        ("GET", "/v1/items/", None),
        ("GET", "/health/ready/x", None),
    ],
)
def test_a_path_has_the_need_of_the_route_that_it_leads_to(method, path, need):
    assert need_of(method, path) is need


def test_what_is_in_no_table_takes_the_scope_admin():
    assert scopes_for(None) == ["admin"]
    assert all("admin" in scopes_for(need) for need in Need)


def test_a_browser_may_send_events_and_ask_and_nothing_else():
    may = {named for named, need in NEEDS.items() if need in GRANTS["public"]}

    assert may >= {"POST /v1/events", "POST /v1/recommendations"}
    assert {named for named in may if not named.startswith("GET")} <= {
        "POST /v1/events",
        "POST /v1/recommendations",
        "POST /v1/recommendations:page",
        "POST /v1/rank",
    }
    assert not may & {"GET /v1/users/{id:id}", "GET /v1/items", "GET /metrics"}


def ask(method: str, path: str, **headers: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(create_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


def test_pages_of_the_origins_in_the_settings_may_ask_and_no_others(monkeypatch):
    monkeypatch.setenv("PATHLIGHT_CORS_ORIGINS", f"https://other.example {PAGE}")
    asking = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }

    allowed = ask("OPTIONS", "/v1/events", Origin=PAGE, **asking)
    refused = ask("OPTIONS", "/v1/events", Origin="https://thief.example", **asking)
    answer = ask("GET", "/health/live", Origin=PAGE)

    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in allowed.headers
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "retry-after" in answer.headers["access-control-expose-headers"].lower()


def test_without_origins_no_page_may_ask():
    answer = ask("GET", "/health/live", Origin=PAGE)

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
