"""What a part that is down leaves of the metrics; the figures are tests/api/routes/test_metrics."""

from prometheus_client import CollectorRegistry

from api.metrics import exposition
from api.settings import Settings
from api.state import open_state
from graphdb.connection import Neo4jSettings
from tests.graphdb.answers.test_served import served_row


def test_what_does_not_answer_is_said_and_left_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))

    with open_state(Settings(), Neo4jSettings(uri="bolt://127.0.0.1:1")) as state:
        text = exposition(state, CollectorRegistry()).decode()

    assert 'pathlight_up{part="graph"} 0.0' in text
    assert 'pathlight_up{part="stream"} 0.0' in text
    assert "pathlight_stream_lag" not in text


def test_lists_that_wait_for_the_graph_are_counted(tmp_path, monkeypatch, empty_stream):
    monkeypatch.setenv("PATHLIGHT_REDIS_URL", empty_stream)
    monkeypatch.setenv("PATHLIGHT_HOME", str(tmp_path))

    with open_state(Settings(), Neo4jSettings(uri="bolt://127.0.0.1:1")) as state:
        for number in range(3):
            state.lists.keep(served_row(f"list{number}", "ann", ["1"]))
        text = exposition(state, CollectorRegistry()).decode()

    assert "pathlight_served_waiting 3.0" in text
