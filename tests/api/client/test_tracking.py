"""Events in the background: when they are sent, again and again, and what is told of the lost."""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from api.client.errors import ApiError
from api.client.tracking import ClosedError, FullError, Lost, Tracker, Tracking
from api.client.types import Accepted, Event

NEVER = {"every_s": math.inf}


def event(number: int) -> Event:
    return {
        "event_id": str(number),
        "event_type": "rated",
        "user_id": "ann",
        "item_id": "1",
        "occurred_at": "2026-02-01T20:15:00Z",
    }


@dataclass
class Api:
    """What takes batches: `answer` may raise, or say which rows are not taken."""

    answer: Callable[[list[Event]], list[dict] | None] = lambda events: None
    taken: list[list[str]] = field(default_factory=list)

    def send(self, events: list[Event]) -> Accepted:
        rejected = self.answer(events) or []
        self.taken.append([event["event_id"] for event in events])
        return {"accepted": len(events), "duplicates": 0, "rejected": rejected}  # ty: ignore


def down(events: list[Event]) -> None:
    raise ApiError("down", retry_after=0.01)


def ids(lost: list[Lost]) -> list[tuple[str, str]]:
    return [(each.event["event_id"], each.code) for each in lost]


@pytest.fixture
def lost() -> list[Lost]:
    return []


def test_a_full_batch_is_sent_at_once_and_in_order(lost):
    api = Api()
    tracker = Tracker(Tracking(batch=3, on_lost=lost.extend, **NEVER), api.send)

    for number in range(7):
        tracker.put(event(number))
    sent = tracker.flush(5)
    tracker.close()

    assert sent
    assert [id for batch in api.taken for id in batch] == list("0123456")
    assert all(len(batch) <= 3 for batch in api.taken)
    assert lost == []


def test_what_has_waited_long_enough_is_sent():
    api = Api()
    tracker = Tracker(Tracking(every_s=0.1), api.send)
    begun = time.monotonic()

    tracker.put(event(1))
    tracker.put(event(2))
    while not api.taken and time.monotonic() < begun + 5:
        time.sleep(0.01)

    assert api.taken == [["1", "2"]]
    assert time.monotonic() - begun >= 0.1
    tracker.close()


def test_a_flush_that_comes_to_nothing_in_time_says_so():
    tracker = Tracker(Tracking(exit_s=0), Api(down).send)
    tracker.put(event(1))

    assert tracker.flush(0.05) is False
    tracker.close()


def test_an_api_that_is_away_gets_everything_when_it_is_back(lost):
    away = threading.Event()
    away.set()
    api = Api(lambda events: down(events) if away.is_set() else None)
    tracker = Tracker(Tracking(batch=2, on_lost=lost.extend), api.send)

    for number in range(5):
        tracker.put(event(number))
    assert not tracker.flush(0.1)
    away.clear()

    assert tracker.flush(5)
    assert api.taken == [["0", "1"], ["2", "3"], ["4"]]
    assert lost == []
    tracker.close()


def test_rows_that_are_not_taken_are_told_with_their_reason(lost):
    api = Api(
        lambda events: [{"index": 1, "code": "invalid_value", "field": "value", "detail": "x"}]
    )
    tracker = Tracker(Tracking(on_lost=lost.extend, **NEVER), api.send)

    for number in range(3):
        tracker.put(event(number))
    tracker.close()

    assert lost == [Lost(event(1), "invalid_value", "x")]


def test_a_refusal_for_good_is_told_and_the_next_batch_goes_on(lost):
    def refuse(events: list[Event]) -> None:
        if events[0]["event_id"] == "0":
            raise ApiError("this key may not send events", status=403)

    api = Api(refuse)
    tracker = Tracker(Tracking(batch=2, on_lost=lost.extend), api.send)
    for number in range(4):
        tracker.put(event(number))
    tracker.close()

    assert ids(lost) == [("0", "403"), ("1", "403")]
    assert lost[0].detail == "this key may not send events"
    assert api.taken == [["2", "3"]]


def test_a_batch_that_is_too_large_is_sent_in_parts(lost):
    def narrow(events: list[Event]) -> None:
        if len(events) > 1 or events[0]["event_id"] == "3":
            raise ApiError("too large", status=413)

    api = Api(narrow)
    tracker = Tracker(Tracking(batch=5, on_lost=lost.extend, **NEVER), api.send)
    for number in range(5):
        tracker.put(event(number))
    tracker.close()

    assert api.taken == [["0"], ["1"], ["2"], ["4"]]
    assert ids(lost) == [("3", "413")]


def test_where_too_many_wait_putting_waits_for_room_or_raises():
    away = threading.Event()
    away.set()
    api = Api(lambda events: down(events) if away.is_set() else None)
    tracker = Tracker(Tracking(batch=1, most_waiting=2, block_s=0), api.send)
    tracker.put(event(0))
    tracker.put(event(1))

    with pytest.raises(FullError, match="2 events wait to be sent already"):
        tracker.put(event(2))
    begun = time.monotonic()
    with pytest.raises(FullError):
        tracker.put(event(2), block_s=0.1)
    assert time.monotonic() - begun >= 0.1
    threading.Timer(0.1, away.clear).start()
    tracker.put(event(2), block_s=math.inf)
    tracker.close()

    assert api.taken == [["0"], ["1"], ["2"]]


def test_closing_in_vain_tells_what_was_not_delivered(lost):
    api = Api(down)
    tracker = Tracker(Tracking(batch=2, exit_s=0.1, on_lost=lost.extend), api.send)
    for number in range(3):
        tracker.put(event(number))

    begun = time.monotonic()
    tracker.close()
    tracker.close()

    assert 0.1 <= time.monotonic() - begun < 2
    assert ids(lost) == [(str(n), "undelivered") for n in range(3)]
    with pytest.raises(ClosedError):
        tracker.put(event(4))


def test_without_a_callback_the_log_has_numbers_and_nobody_s_name(caplog):
    rejected = [
        {"index": n, "code": "invalid_value", "field": "user_id", "detail": "ann's"} for n in (0, 2)
    ]
    tracker = Tracker(Tracking(**NEVER), Api(lambda events: rejected).send)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            tracker.put(event(number))
        tracker.close()

    assert [record.getMessage() for record in caplog.records] == [
        "2 tracked events do not count: 2 invalid_value"
    ]


def test_a_callback_or_an_answer_that_is_broken_does_not_stop_the_others(caplog):
    def broken(lost) -> None:
        raise RuntimeError("ann's")

    def nonsense(events: list[Event]) -> list[dict]:
        return [{"index": 99}] if events[0]["event_id"] == "0" else []

    api = Api(nonsense)
    tracker = Tracker(Tracking(batch=1, on_lost=broken), api.send)
    for number in range(2):
        tracker.put(event(number))
    tracker.close()

    assert api.taken == [["0"], ["1"]]
    assert [record.getMessage() for record in caplog.records] == [
        "on_lost raised RuntimeError",
        "1 tracked events do not count: 1 IndexError",
    ]


def test_many_threads_lose_nothing():
    api = Api()
    tracker = Tracker(Tracking(batch=50, most_waiting=100), api.send)

    def put(first: int) -> None:
        for number in range(first, first + 500):
            tracker.put(event(number))

    threads = [threading.Thread(target=put, args=(n * 500,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracker.close()

    assert sorted(int(id) for batch in api.taken for id in batch) == list(range(4000))
