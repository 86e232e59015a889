"""Errors as problems: one shape, the right status, nothing personal in them or in the log."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api import problems
from api.answers.answer import NothingPublishedError
from api.problems import ConflictError, InvalidError, NotFoundError, TooLargeError
from graphdb.errors import GraphUnavailableError, PathlightError
from training.artifact import ArtifactError

SECRET = "alice@example.com"


class Body(BaseModel):
    k: int


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/bodies")
    def bodies(body: Body) -> int:
        return body.k

    @app.get("/users/{id}")
    def users(id: str) -> None:
        raise RuntimeError(f"about {id}")

    return app


def ask(app: FastAPI, method: str, path: str, **arguments) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("there is none"), 404),
        (ConflictError("there with other content", [{"field": "id", "detail": "taken"}]), 409),
        (TooLargeError("too many"), 413),
        (InvalidError("not valid", [{"field": "k", "detail": "not a number"}]), 422),
        (GraphUnavailableError("the graph did not answer"), 503),
        (NothingPublishedError("nothing there"), 503),
        (ArtifactError("no model.json"), 503),
        (PathlightError("something to act on"), 400),
    ],
)
def test_each_error_has_its_status_and_says_its_sentence(app, error, status):
    @app.get("/raising")
    def raising() -> None:
        raise error

    answer = ask(app, "GET", "/raising")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["status"], told["detail"]) == ("about:blank", status, str(error))
    assert told["title"]
    assert told.get("errors", []) == getattr(error, "errors", [])
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_request_that_is_not_valid_names_fields_and_not_what_was_sent(app):
    answer = ask(app, "POST", "/bodies", json={"k": SECRET})

    assert answer.status_code == 422
    assert [e["field"] for e in answer.json()["errors"]] == ["body.k"]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/bodies", 405)]
)
def test_what_the_framework_refuses_is_a_problem_too(app, method, path, status):
    answer = ask(app, method, path)

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_error_of_ours_is_logged_with_its_place_and_without_its_words(app, caplog):
    with caplog.at_level(logging.DEBUG):
        answer = ask(app, "GET", f"/users/{SECRET}")

    assert answer.status_code == 500
    assert answer.json()["detail"] == "an error of ours; it has been logged"
    said = "\n".join(record.getMessage() for record in caplog.records if record.name[:3] == "api")
    assert "unexpected RuntimeError at /users/{id}" in said
    assert "in users" in said
    assert SECRET not in said + answer.text
