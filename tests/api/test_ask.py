"""Answers read aloud: one of a real API, and made ones for the words."""

import json
import time

import pytest

from api.ask import print_answer
from api.client import Client
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


def said(capsys, **changed) -> list[str]:
    print_answer({**ANSWER, **changed})
    return capsys.readouterr().out.splitlines()


def test_a_real_answer_is_read_aloud(api_url, capsys):
    until_mapped(api_url)
    given_up = time.monotonic() + 30

    with Client(api_url) as client:
        while True:  # a busy machine, a cold graph
            answer = client.recommend(user_id="p0", k=2, include=["item", "reasons"])
            if not answer["degraded"] or time.monotonic() > given_up:
                break
            time.sleep(0.5)
    print_answer(answer)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].lstrip().startswith("1. Film ")
    assert any(" rated: Film " in line for line in lines)
    assert lines[-1] == "  version v1"


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


def test_what_has_no_score_is_told_without_one(capsys):
    newer = {"id": "new", "rank": 1, "score": None, "sources": ["latest"]}

    told = said(capsys, items=[newer], fallback="latest")

    assert told[0] == "   1. new"
    assert told[-1].endswith("items newer than the version: nothing else passes the filter")


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({"fallback": "popular"}, "version v1; popular items: no events of this person count"),
        (
            {"fallback": "popular", "model_version": None},
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
