"""A name for every request, in the answer and in the log of an error."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI

from api import problems
from api.request_ids import RequestIds

UUID = "0c5f7c3e-8f3a-4f6e-9a58-6d9a4c1b7e21"


def ask(path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(RequestIds)

    @app.get("/raising")
    def raising() -> None:
        raise RuntimeError

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(send())


def test_each_answer_has_a_name_of_its_own():
    names = {ask("/nothing").headers["x-request-id"] for _ in range(3)}

    assert len(names) == 3
    assert all(len(name) == 16 for name in names)


@pytest.mark.parametrize(
    ("given", "taken"), [(UUID, True), ("ann@example.org", False), ("a" * 300, False), ("", False)]
)
def test_a_senders_name_is_taken_if_it_names_nobody(given, taken):
    answer = ask("/nothing", **{"X-Request-ID": given})

    assert (answer.headers["x-request-id"] == given) is taken


def test_an_error_is_logged_under_it(caplog):
    with caplog.at_level(logging.ERROR):
        answer = ask("/raising", **{"X-Request-ID": UUID})

    assert (answer.status_code, answer.headers["x-request-id"]) == (500, UUID)
    assert f"request {UUID}" in caplog.text
