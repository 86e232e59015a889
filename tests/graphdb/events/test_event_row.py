"""What makes two rows the same event."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from graphdb.events.event_row import CONTENT, EventRow, event_digest, micros
from tests.rows import event_row

OTHER = {"occurred_at": 5, "value": 2.0, "position": 7, "impressions": ["1", "2"]}


@pytest.mark.parametrize("name", EventRow.__annotations__)
def test_the_digest_is_of_the_content_and_not_of_receipt_or_name(name):
    row = event_row("ann", "1")

    same = event_digest(row) == event_digest(row | {name: OTHER.get(name, "x")})

    assert same == (name not in CONTENT)


def test_times_are_whole_microseconds_wherever_the_clock_stands():
    moment = datetime(2026, 1, 5, 20, 15, 0, 123_457, UTC)

    assert micros(moment) == micros(moment.astimezone(timezone(timedelta(hours=5))))
    assert micros(moment) % 1_000_000 == 123_457
