"""Bodies beyond the bound: refused by their length, or as soon as too much of them has come."""

import asyncio
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Body, FastAPI, Request

from api import problems
from api.body_limit import BodyLimit

LIMIT = 1000


@pytest.fixture
def send():
    """POST some content to an application that says how many bytes it read."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(BodyLimit, limit=LIMIT)

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.post("/parsed")
    def parsed(body: Annotated[Any, Body()]) -> int:
        return len(body)

    def post(path: str, content) -> httpx.Response:
        headers = {"content-type": "application/json"}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.post(path, content=content, headers=headers)

        return asyncio.run(ask())

    return post


async def chunks(count: int, size: int, sent: list[int]):
    for _ in range(count):
        sent.append(size)
        yield b" " * size


def test_up_to_the_bound_a_body_is_read(send):
    assert send("/raw", b"x" * LIMIT).json() == LIMIT
    assert send("/parsed", b"[1, 2]").json() == 2


def test_a_length_beyond_the_bound_is_refused(send):
    refused = send("/raw", b"x" * (LIMIT + 1))

    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert "larger than 1000 bytes" in refused.json()["detail"]


@pytest.mark.parametrize("path", ["/raw", "/parsed"])
def test_a_stream_without_a_length_is_refused_in_its_midst(send, path):
    sent: list[int] = []

    refused = send(path, chunks(100_000, 100, sent))

    assert refused.status_code == 413
    assert refused.headers["content-type"] == "application/problem+json"
    assert sum(sent) < 2 * LIMIT


def test_a_body_nested_too_deep_is_no_error_of_ours(send):
    refused = send("/parsed", b"[" * (LIMIT // 2))

    assert refused.status_code in {400, 422}
    assert refused.headers["content-type"] == "application/problem+json"
