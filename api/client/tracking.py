"""Events that are sent in the background: kept in order until the API has them.

A thread sends what waits, in batches, again and again while the API is away. What it cannot
deliver, and what the API does not take, is told: to `Tracking.on_lost`, or to the log by number,
never by content. It knows no HTTP.
"""

import atexit
import logging
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from api.client.errors import ApiError
from api.client.retries import Attempts, Retries
from api.client.types import Accepted, Event
from graphdb.errors import PathlightError

log = logging.getLogger(__name__)

TOO_LARGE = 413
UNDELIVERED = "undelivered"
FOREVER = Retries(attempts=math.inf, patience_s=math.inf, longest_s=3.0)


class FullError(PathlightError):
    """Too many events wait to be sent."""


class ClosedError(PathlightError):
    """The client is closed."""


@dataclass(frozen=True)
class Lost:
    """An event that does not count. code: as of a rejected row, the status of a refusal, or
    `undelivered` for one that may be sent again, by its id, without harm."""

    event: Event
    code: str
    detail: str


def tell(lost: Sequence[Lost]) -> None:
    """Log how many are lost, and why."""
    counts = Counter(each.code for each in lost)
    told = ", ".join(f"{number} {code}" for code, number in counts.most_common())
    log.warning("%d tracked events do not count: %s", len(lost), told)


@dataclass(frozen=True)
class Tracking:
    """How tracked events are sent: as soon as `batch` of them wait, or the first has waited
    `every_s`. While `most_waiting` wait, `track` waits for room, `block_s` at most: 0 raises at
    once, math.inf never. Closing, and the end of the process, take `exit_s` at most. on_lost is
    called by the sending thread."""

    batch: int = 500
    every_s: float = 1.0
    most_waiting: int = 10_000
    block_s: float = 10.0
    exit_s: float = 10.0
    on_lost: Callable[[Sequence[Lost]], None] = tell


class Tracker:
    """The events that wait, those on their way among them, and the thread that sends them, which
    begins with the first."""

    def __init__(self, tracking: Tracking, send: Callable[[list[Event]], Accepted]) -> None:
        self._tracking, self._send = tracking, send
        self._waiting: deque[tuple[float, Event]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._taken = self._done = self._asked_for = 0
        self._closed = self._given_up = False

    def put(self, event: Event, block_s: float | None = None) -> None:
        """Take an event. Raises FullError, ClosedError."""
        longest = self._tracking.block_s if block_s is None else block_s
        with self._changed:
            if not self._changed.wait_for(self._has_room, min(longest, threading.TIMEOUT_MAX)):
                raise FullError(f"{len(self._waiting)} events wait to be sent already")
            if self._closed:
                raise ClosedError("the client is closed: it takes no more events")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tracker", daemon=True)
                self._thread.start()
                atexit.register(self.close)
            self._waiting.append((time.monotonic(), event))
            self._taken += 1
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """Have all that was put sent now; whether all of it was, or was told as lost, in time."""
        with self._changed:
            wanted = self._asked_for = self._taken
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._done >= wanted, timeout_s)

    def close(self, timeout_s: float | None = None) -> None:
        """Take nothing more, send what waits, and tell what could not be sent in time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is None:
            return
        atexit.unregister(self.close)
        self._thread.join(self._tracking.exit_s if timeout_s is None else timeout_s)
        with self._changed:
            self._given_up = True
            left = [event for _, event in self._waiting]
            self._waiting.clear()
            self._changed.notify_all()
        self._tell([Lost(event, UNDELIVERED, "the API did not take it in time") for event in left])

    def _has_room(self) -> bool:
        return self._closed or len(self._waiting) < self._tracking.most_waiting

    def _run(self) -> None:
        while batch := self._next():
            self._deliver(batch)

    def _next(self) -> list[Event]:
        """The batch that is due, once one is; none when that was all."""
        with self._changed:
            while not self._closed and (wait := self._until_due()) > 0:
                self._changed.wait(min(wait, threading.TIMEOUT_MAX))
            return [event for _, event in islice(self._waiting, self._tracking.batch)]

    def _until_due(self) -> float:
        if not self._waiting:
            return math.inf
        if len(self._waiting) >= self._tracking.batch or self._asked_for > self._done:
            return 0.0
        return self._waiting[0][0] + self._tracking.every_s - time.monotonic()

    def _deliver(self, batch: list[Event]) -> None:
        """Send a batch until it is taken, or refused for good, or given up."""
        attempts = Attempts(FOREVER, repeatable=True)
        while not self._given_up:
            try:
                rejected = self._send(batch)["rejected"]
                lost = [Lost(batch[row["index"]], row["code"], row["detail"]) for row in rejected]
            except ApiError as error:
                if error.temporary:
                    with self._changed:
                        self._changed.wait_for(lambda: self._given_up, attempts.pause(error))
                    continue
                if error.status == TOO_LARGE and len(batch) > 1:
                    half = len(batch) // 2
                    self._deliver(batch[:half])
                    self._deliver(batch[half:])
                    return
                lost = [Lost(event, str(error.status), str(error)) for event in batch]
            except Exception as error:
                # Whatever is wrong with this batch, the thread has to go on with the next.
                name = type(error).__name__
                lost = [Lost(event, name, "the answer could not be read") for event in batch]
            self._settle(batch, lost)
            return

    def _settle(self, batch: list[Event], lost: list[Lost]) -> None:
        with self._changed:
            if self._given_up:
                return  # they were told as lost
            for _ in batch:
                self._waiting.popleft()
            self._changed.notify_all()
        self._tell(lost)
        with self._changed:
            self._done += len(batch)
            self._changed.notify_all()

    def _tell(self, lost: list[Lost]) -> None:
        if not lost:
            return
        try:
            self._tracking.on_lost(lost)
        except Exception as error:
            # The thread has to go on, and the error's words may be a person's.
            log.error("on_lost raised %s", type(error).__name__)
            tell(lost)
