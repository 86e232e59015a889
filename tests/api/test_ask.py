"""Asking the API and reading its answers aloud: a real API for errors, made answers for words."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
from pydantic import SecretStr

from api.ask import ask, print_answer
from graphdb.errors import PathlightError
from graphdb.processes import choose_port
from tests.api.conftest import until_mapped

REASON = {"kind": "event", "item_id": "7", "event_type": "rated", "title": "Ran"}
ANSWER = {
    "model_version": "v1",
    "as_of": None,
    "items": [
        {
            "id": "1",
            "rank": 1,
            "score": 0.5,
            "sources": ["vector"],
            "item": {"title": "Kolya [1996]", "year": 1996},
            "reasons": [
                {**REASON, "contribution": 0.3, "share": 0.6},
                {**REASON, "title": None, "event_type": None, "contribution": -0.1, "share": 0.0},
                {"kind": "other_events", "count": 4, "contribution": 0.1, "share": 0.2},
                {"kind": "other_events", "count": 1, "contribution": 0.1, "share": 0.2},
                {"kind": "general_taste", "contribution": 0.1, "share": 0.2},
            ],
        }
    ],
    "fallback": None,
    "degraded": [],
}


class Proxy(http.server.BaseHTTPRequestHandler):
    """What stands in between and answers in its own words."""

    keys: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.keys.append(self.headers["Authorization"])
        self.send_error(502, "Bad Gateway")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def said(capsys, **changed) -> list[str]:
    print_answer({**ANSWER, **changed})
    return capsys.readouterr().out.splitlines()


def test_a_key_goes_along_and_is_in_no_sentence(proxy):
    for key in (None, SecretStr(""), SecretStr("plk_1_2")):
        with pytest.raises(PathlightError) as refused:
            ask(proxy, "GET", "/x", key=key)
        assert "plk" not in str(refused.value)

    assert Proxy.keys[-3:] == [None, None, "Bearer plk_1_2"]


def test_a_real_answer_is_read_aloud(api_url, capsys):
    until_mapped(api_url)
    body = {"user_id": "p0", "k": 2, "include": ["item", "reasons"]}

    answer = ask(api_url, "POST", "/v1/recommendations", json=body)
    given_up = time.monotonic() + 30
    while answer["degraded"] and time.monotonic() < given_up:  # a busy machine, a cold graph
        time.sleep(0.5)
        answer = ask(api_url, "POST", "/v1/recommendations", json=body)
    print_answer(answer)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].lstrip().startswith("1. Film ")
    assert any(" rated: Film " in line for line in lines)
    assert lines[-1] == "  version v1"


def test_a_problem_is_its_own_sentence(api_url):
    with pytest.raises(PathlightError, match="there is no item 'nothing'"):
        ask(api_url, "GET", "/v1/items/nothing/similar")


def test_an_answer_that_is_no_problem_json_is_named(proxy):
    with pytest.raises(PathlightError, match="/x answered 502 Bad Gateway"):
        ask(proxy, "GET", "/x")


def test_an_api_that_does_not_answer_is_one_sentence():
    with pytest.raises(PathlightError, match=r"the API at http://127\.0\.0\.1:\d+ did not answer"):
        ask(f"http://127.0.0.1:{choose_port(0)}", "GET", "/")


def test_shares_are_told_and_what_speaks_against_an_item_is_called_so(capsys):
    assert [line.split(maxsplit=1) for line in said(capsys)] == [
        ["1.", "Kolya [1996] (1996)  0.500"],
        ["60%", "rated: Ran"],
        ["against", "event: 7"],
        ["20%", "4 other events together"],
        ["20%", "one other event"],
        ["20%", "general taste"],
        ["version", "v1"],
    ]


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({"fallback": "cold_start"}, "version v1; popular items: no events of this person count"),
        (
            {"fallback": "no_version", "model_version": None},
            "no version was published yet; popular",
        ),
        ({"degraded": ["graph"]}, "version v1; degraded: without the graph"),
    ],
)
def test_what_is_the_matter_with_an_answer_is_said(capsys, changed, last):
    assert said(capsys, **changed)[-1].strip().startswith(last)


def test_an_empty_answer_is_said_to_be(capsys):
    assert said(capsys, items=[])[0] == "  nothing to recommend"


def test_machines_get_the_answer_as_it_came(capsys):
    print_answer(ANSWER, as_json=True)

    assert json.loads(capsys.readouterr().out) == ANSWER
