"""Bodies beyond a bound: of their length, as soon as too much of them has come, or of time."""

import asyncio
import socket
import threading
import time
from typing import Annotated, Any

import httpx
import pytest
import uvicorn
from fastapi import Body, FastAPI, Request

from api import problems
from api.body_limit import BodyLimit

LIMIT = 1000
PATIENCE_S = 0.5


@pytest.fixture
def app() -> FastAPI:
    """An application that says how many bytes it read, and answers slowly what was sent at once."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(BodyLimit, limit=LIMIT, patience_s=PATIENCE_S)

    @app.post("/raw")
    async def raw(request: Request) -> int:
        return len(await request.body())

    @app.post("/parsed")
    def parsed(body: Annotated[Any, Body()]) -> int:
        return len(body)

    @app.post("/slow")
    async def slow(request: Request) -> bool:
        await request.body()
        await asyncio.sleep(2 * PATIENCE_S)
        return await request.is_disconnected()

    return app


@pytest.fixture
def send(app):
    """POST some content to the application."""

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


@pytest.mark.parametrize("path", ["/raw", "/parsed"])
def test_a_body_that_does_not_come_in_time_is_refused(send, path):
    async def dripping():
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    begun = time.monotonic()
    refused = send(path, dripping())

    assert refused.status_code == 408
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["detail"] == "the body did not come within 0.5 seconds"
    assert PATIENCE_S <= time.monotonic() - begun < 10 * PATIENCE_S


def test_an_answer_may_take_longer_than_the_body(send):
    assert send("/slow", b"{}").json() is False


@pytest.mark.faults
def test_a_sender_that_never_ends_is_cut_off(app):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with socket.create_connection(listening.getsockname(), 30) as sender:
            sender.sendall(b"POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{")
            told = b"".join(iter(lambda: sender.recv(4096), b""))  # until the other side hangs up
    finally:
        server.should_exit = True
        thread.join()

    assert told.startswith(b"HTTP/1.1 408")
    assert b"did not come within" in told
