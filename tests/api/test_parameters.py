"""Query parameters: one that a route does not declare is named, before the route does anything."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel, Field

from api import problems
from api.parameters import MOST_NAMED, describe, refuse_unknown
from tests.api.test_problems import ask


class Asked(BaseModel):
    k: int = 1
    start: str = Field("", alias="from")


@pytest.fixture
def app() -> FastAPI:
    app, router = FastAPI(dependencies=[Depends(refuse_unknown)]), APIRouter()
    problems.install(app)
    app.state.done = []

    @router.post("/plain/{id}")
    def plain(id: str, body: dict[str, str], wait: bool = False) -> bool:
        app.state.done.append(id)
        return wait

    @router.get("/model")
    def model(asked: Annotated[Asked, Query()]) -> str:
        return asked.start

    @router.delete("/nothing")
    def nothing() -> None:
        app.state.done.append("nothing")

    app.include_router(router)
    return app


@pytest.mark.parametrize(
    ("method", "path", "field", "known"),
    [
        ("POST", "/plain/1?waitt=true", "query.waitt", "wait"),
        ("POST", "/plain/1?id=2", "query.id", "wait"),
        ("GET", "/model?start=a", "query.start", "k, from"),
        ("GET", "/model?k=1&K=2", "query.K", "k, from"),
        ("DELETE", "/nothing?really=true", "query.really", "none"),
        ("DELETE", "/nothing?=", "query.", "none"),
    ],
)
def test_what_a_route_does_not_declare_is_refused(app, method, path, field, known):
    answer = ask(app, method, path, json={})

    assert answer.status_code == 422
    wrong = [{"field": field, "detail": f"no such parameter; expected {known}"}]
    assert answer.json()["errors"] == wrong
    assert app.state.done == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/plain/1?wait=true"), ("GET", "/model?from=a&k=2"), ("DELETE", "/nothing")],
)
def test_what_it_declares_is_taken(app, method, path):
    assert ask(app, method, path, json={}).status_code == 200


def test_a_refusal_names_a_few_of_many(app):
    answer = ask(app, "DELETE", "/nothing?" + "&".join(f"p{n}=1" for n in range(2_000)))

    assert len(answer.json()["errors"]) == MOST_NAMED


def test_the_document_says_that_every_operation_may_refuse(app):
    document = app.openapi()
    describe(document)

    assert "422" in document["paths"]["/nothing"]["delete"]["responses"]
