"""What the API refused, as a client tells it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from api.client.errors import refused, unanswered

PROBLEM = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "detail": "the request is not valid",
    "errors": [{"field": "body.k", "detail": "expected at most 500"}],
}


def test_a_problem_is_told_whole():
    error = refused(httpx.Response(422, json=PROBLEM, headers={"X-Request-ID": "c0ffee"}))

    assert (error.status, error.title) == (422, "Unprocessable Entity")
    assert error.detail == "the request is not valid"
    assert error.errors == PROBLEM["errors"]
    assert error.request_id == "c0ffee"
    assert str(error) == "the request is not valid (body.k: expected at most 500)"
    assert not error.temporary


def test_what_the_sentence_says_already_is_not_said_twice():
    detail = "the item is not taken: id: a required field is missing"
    errors = [{"field": "id", "detail": "a required field is missing"}]

    assert str(refused(httpx.Response(422, json={"detail": detail, "errors": errors}))) == detail


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"", b'{"detail": null}'])
def test_an_answer_that_is_no_problem_is_named_by_its_status(content):
    error = refused(httpx.Response(502, content=content))

    assert str(error) == "the API answered 502"
    assert (error.title, error.errors) == ("Bad Gateway", [])
    assert error.temporary


def test_retry_after_is_seconds_or_a_moment():
    def after(text: str) -> float | None:
        return refused(httpx.Response(503, headers={"Retry-After": text})).retry_after

    now = datetime.now(UTC)
    assert after("2") == 2
    assert after(format_datetime(now + timedelta(seconds=30), usegmt=True)) == pytest.approx(
        30, abs=3
    )
    assert after(format_datetime(now - timedelta(days=1), usegmt=True)) == 0
    assert after("soon") is None
    assert refused(httpx.Response(503)).retry_after is None


def test_who_was_never_reached_has_done_nothing():
    url = httpx.URL("https://user:secret@shop.example:8000/x")

    never, perhaps = (
        unanswered(error, url) for error in (httpx.ConnectError("refused"), httpx.ReadTimeout(""))
    )

    assert (never.arrived, perhaps.arrived) == (False, True)
    assert never.temporary
    assert never.status is None
    assert str(never) == "the API at https://shop.example:8000 did not answer: refused"
    assert str(perhaps).endswith("did not answer: ReadTimeout")
