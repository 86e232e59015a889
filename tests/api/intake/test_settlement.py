"""What became of events, judged by the graph itself; the consumer is a thread of the test."""

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from api.intake import settlement
from api.intake.event_body import Body
from api.intake.settlement import settle
from api.intake.taking import Taken, take
from api.problems import NotYetError
from api.settings import Settings
from api.state import open_state
from graphdb.connection import Neo4jSettings
from graphdb.events.retraction import retract_event
from ingest.stream.consumer import Consumer
from ingest.stream.partition_reader import Terms

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def raw(event_id: str, **given) -> dict:
    row = {"event_type": "rated", "user_id": "ann", "item_id": "1", "occurred_at": "2026-05-01"}
    return {**row, "event_id": event_id, **given}


@pytest.fixture
def settings(empty_stream, neo4j_address, tmp_path, monkeypatch) -> Neo4jSettings:
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", empty_stream)
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("PATHLIGHT_NEO4J_PASSWORD", neo4j_address.password)
    return Neo4jSettings(uri=neo4j_address.uri, user=neo4j_address.user)


@pytest.fixture
def state(graph, settings):
    with open_state(Settings(), settings) as state:
        yield state


@contextmanager
def consuming(state):
    stopping = threading.Event()
    consumer = Consumer(
        state.working, state.domain, state.stream, state.letters, "me", Terms(lease_s=2)
    )
    thread = threading.Thread(target=consumer.run, args=(stopping,))
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def settled(state, *rows: dict) -> Taken:
    return asyncio.run(settle(state, take(state, Body(rows=list(rows)), NOW)))


def test_every_row_is_told_what_became_of_it(state, domain):
    with consuming(state):
        first = settled(state, raw("1"), raw("2"), raw("gone"))
        retract_event(state.working, domain, "rated", "gone")
        second = settled(state, raw("3"), raw("1"), raw("2", value=3), raw("gone"), raw("3"))

    assert (first.accepted, first.duplicates, first.rejected) == (3, 0, [])
    assert (second.accepted, second.duplicates) == (1, 2)
    assert [(r["index"], r["code"]) for r in second.rejected] == [(2, "conflict"), (3, "dropped")]


def test_a_row_that_the_graph_refuses_is_told_to_be_a_dead_letter(state):
    taken = take(state, Body(rows=[raw("1"), raw("2")]), NOW)
    state.stream.redis.flushdb()
    taken.rows[0]["event_type"] = "unheard_of"
    taken.places = state.stream.append(taken.rows)
    taken.rows[0]["event_type"] = "watched"

    with consuming(state):
        told = asyncio.run(settle(state, taken))

    assert told.accepted == 1
    assert [(r["index"], r["code"]) for r in told.rejected] == [(0, "dead_lettered")]


def test_without_a_consumer_it_says_that_the_events_are_kept(state, monkeypatch):
    monkeypatch.setattr(settlement, "PATIENCE_S", 0.3)

    with pytest.raises(NotYetError, match="are kept, but the graph has not got them yet"):
        settled(state, raw("1"))


def test_without_a_graph_it_says_so_at_once(settings):
    away = settings.model_copy(update={"uri": "bolt://127.0.0.1:1"})

    with (
        open_state(Settings(), away) as state,
        pytest.raises(NotYetError, match="are kept, but the graph does not answer"),
    ):
        settled(state, raw("1"))
