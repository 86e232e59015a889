"""Rows of a request into the stream: each judged, those that are valid kept, the old put aside."""

from datetime import UTC, datetime

import pytest

from api.intake.event_body import Body
from api.intake.taking import judge, take
from api.settings import Settings
from api.state import State, open_state
from graphdb.connection import Neo4jSettings
from ingest.stream.stream import StreamUnavailableError

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def raw(event_id: str, **given) -> dict:
    row = {"event_type": "rated", "user_id": "ann", "item_id": "1", "occurred_at": "2026-05-01"}
    return {**row, "event_id": event_id, **given}


def body() -> Body:
    rows = [raw("1"), None, raw("1"), raw("2", occurred_at="1990-01-01"), raw("1", value=2)]
    return Body(rows=rows, unparsed={1: "expected a line of JSON"})


@pytest.fixture
def state(empty_stream, tmp_path, monkeypatch):
    """Of an API whose graph is away: it is not asked."""
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", empty_stream)
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))
    with open_state(Settings(), Neo4jSettings(uri="bolt://127.0.0.1:1")) as state:
        yield state


def appended(state: State) -> int:
    return sum(backlog.appended for backlog in state.stream.backlog())


def test_each_row_has_one_verdict_and_the_valid_ones_a_place(state):
    taken = take(state, body(), NOW)

    assert (taken.accepted, taken.duplicates, taken.indexes) == (1, 1, [0])
    assert [(r["index"], r["code"]) for r in taken.rejected] == [
        (1, "invalid_json"),
        (3, "too_old"),
        (4, "conflict"),
    ]
    assert [place.seq for place in taken.places] == [1]
    assert appended(state) == 1
    assert [x.row["event_id"] for x in state.letters.list_letters()] == ["2"]


def test_old_rows_of_other_ids_and_the_same_content_are_letters_of_their_own(state):
    rows = [raw(str(n), occurred_at="1990-01-01") for n in range(3)]

    for _ in range(2):
        take(state, Body(rows=rows), NOW)

    assert state.letters.count() == 3


def test_judging_keeps_nothing(state):
    judged, taken = judge(state, body(), NOW), take(state, body(), NOW)

    assert (judged.accepted, judged.rejected) == (taken.accepted, taken.rejected)
    assert judged.places == []
    assert appended(state) == 1


def test_nothing_is_kept_of_a_request_that_is_too_much(state):
    state.stream._most_waiting = 1

    with pytest.raises(StreamUnavailableError):
        take(state, Body(rows=[raw("1"), raw("2"), raw("3", occurred_at="1990-01-01")]), NOW)

    assert (appended(state), state.letters.count()) == (0, 0)
