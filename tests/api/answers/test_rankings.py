"""Rankings in memory: read when it is time, kept for a start without the graph."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from api.answers.rankings import WINDOW, Rankings
from graphdb.events.events import save_events
from tests.rows import event_row


@pytest.fixture
def rankings(domain, tmp_path) -> Rankings:
    return Rankings(domain, tmp_path / "rankings.json")


def test_they_are_read_when_it_is_time_and_kept_for_the_next_process(
    graph, domain, rankings, tmp_path, monkeypatch
):
    now = datetime.now(UTC)
    old = [event_row(u, "old", event_id=f"{u}o", at=now - 2 * WINDOW) for u in "abc"]
    new = [event_row(u, "new", event_id=f"{u}n", at=now - timedelta(hours=1)) for u in "ab"]
    save_events(graph, domain, "api", old + new)
    assert rankings.of("popular") == []

    rankings.renew(graph)
    assert rankings.of("popular") == [("old", 3.0), ("new", 2.0)]
    assert rankings.of("trending") == [("new", 2.0)]
    assert {item for item, _ in rankings.of("latest")} == {"old", "new"}

    save_events(graph, domain, "api", [event_row("d", "new", event_id="dn", at=now)])
    rankings.renew(graph)
    assert rankings.of("trending") == [("new", 2.0)]
    later = Rankings(domain, tmp_path / "rankings.json")
    assert later.of("trending") == [("new", 2.0)]
    assert later.as_of == rankings.as_of

    monkeypatch.setattr(rankings, "_due", 0.0)
    rankings.renew(graph)
    assert rankings.of("trending") == [("new", 3.0)]


@pytest.mark.parametrize("text", ["", "{", json.dumps({"lists": {}})])
def test_a_torn_file_is_no_ranking(rankings, tmp_path, text):
    (tmp_path / "rankings.json").write_text(text)

    assert rankings.of("popular") == []
