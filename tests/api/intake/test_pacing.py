"""Pacing: a batch waits for a long backlog, for a bounded time; a single event never does."""

import asyncio
import time

import pytest

from api.intake import pacing
from api.intake.pacing import pace
from api.intake.taking import Taken
from api.settings import Settings
from api.state import open_state
from graphdb.connection import Neo4jSettings
from tests.rows import event_row

ROWS = [event_row("ann", str(n), n) for n in range(200)]


@pytest.fixture
def state(empty_stream, tmp_path, monkeypatch):
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", empty_stream)
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))
    monkeypatch.setattr(pacing, "MOST_WAITING", 150)
    monkeypatch.setattr(pacing, "LONGEST_S", 3.0)
    with open_state(Settings(), Neo4jSettings(uri="bolt://127.0.0.1:1")) as state:
        yield state


def held_s(state, rows) -> float:
    begun = time.monotonic()
    asyncio.run(pace(state, Taken(len(rows), 0, [], False, rows=rows)))
    return time.monotonic() - begun


def test_a_batch_is_held_while_many_wait_and_a_single_event_is_not(state):
    places = state.stream.append(ROWS)

    assert held_s(state, ROWS) >= 3
    assert held_s(state, ROWS[:1]) < 2
    last = places[-1]
    assert state.stream.advance(last.partition, last.seq, last.token, 0, {})
    assert held_s(state, ROWS) < 2
