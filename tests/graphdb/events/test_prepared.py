"""What a row becomes before it is written."""

from datetime import timedelta

from graphdb.events.event_row import EPOCH, event_digest, micros
from graphdb.events.prepared import prepare_events
from tests.rows import NOON, event_row


def test_rows_keys_ranks_and_parameters_go_together(domain):
    rows = [event_row("ann", "1", value=4.0, event_id="a"), event_row("bob", "2", event_id="b")]

    prepared = prepare_events(domain, rows)

    digests = [event_digest(row) for row in rows]
    assert len(prepared) == 2
    assert prepared.keys == [("rated", "a"), ("rated", "b")]
    assert prepared.ranks == [
        (row["received_at"], digest) for row, digest in zip(rows, digests, strict=True)
    ]
    assert [(e["user_id"], e["item_id"], e["type"]) for e in prepared.events] == [
        ("ann", "1", "RATED"),
        ("bob", "2", "RATED"),
    ]
    assert prepared.events[0]["event"] == {"event_id": "a", "value": 4.0, "digest": digests[0]}
    assert prepared.events[1]["event"] == {"event_id": "b", "digest": digests[1]}


def test_a_clock_that_was_ahead_keeps_its_own_time(domain):
    row = event_row("ann", "1")
    ahead = row | {"occurred_at": row["at"] + micros(EPOCH + timedelta(hours=1))}

    [event] = prepare_events(domain, [ahead]).events

    assert event["at"] == row["at"] == micros(NOON)
    assert event["event"]["clock_skew"] is True
    assert event["event"]["occurred_at"] == NOON + timedelta(hours=1)
