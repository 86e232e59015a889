"""A deadline and a circuit breaker before the graph, so that an answer never waits for a dead one.

The driver gives up by itself when a server refuses; one that accepts and stays silent is given up
here. It knows nothing of what is called.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, ParamSpec, TypeVar

from graphdb.errors import GraphUnavailableError

P = ParamSpec("P")
T = TypeVar("T")

POLL_S = 0.1
STUCK_S = 10.0
"""A watch that is silent for so long is given up and another sent: its thread waits on."""
DOWN = "the graph did not answer a moment ago"


class GraphBreaker:
    """Calls with a deadline; after a failure others are refused at once until `pause` has passed.

    deadline, pause: seconds. After the pause one call at a time is let through as a probe. Work on
    a server that stays silent keeps its thread, so the threads are bounded: `readers` and `writers`
    of them.
    """

    def __init__(
        self, deadline: float = 1.4, pause: float = 2.0, readers: int = 40, writers: int = 20
    ) -> None:
        self._deadline, self._pause = deadline, pause
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="graph-read")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="graph-write")
        self._closed_again = 0.0
        self._probing = threading.Lock()
        self._watch: Future[Any] | None = None
        self._watched_since = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the last call failed: the graph counts as down until one succeeds."""
        return self._closed_again > 0

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work`'s result. Raises GraphUnavailableError at the deadline or while open."""
        if not self.is_open:
            return self._await(self._readers.submit(work, *args, **kwargs))
        if time.monotonic() < self._closed_again or not self._probing.acquire(blocking=False):
            raise GraphUnavailableError(DOWN)
        try:
            return self._await(self._readers.submit(work, *args, **kwargs))
        finally:
            self._probing.release()

    def watch(self, work: Callable[[], T]) -> T:
        """`call` for one thread that keeps watch, and so is let through while open: it notices a
        silent graph before people do, and one that is back. Work still under way is waited for
        rather than begun again."""
        now = time.monotonic()
        if self._watch is None or self._watch.done() or now - self._watched_since > STUCK_S:
            self._watch, self._watched_since = self._readers.submit(work), now
        return self._await(self._watch, give_up=False)

    def writing(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work`'s result, however long it takes while the graph answers others.

        Raises GraphUnavailableError at once while open, and when the graph falls silent meanwhile:
        what became of the work is then unknown, and it must be repeatable. A client that is told
        503 within a moment can keep its events; one that hangs cannot.
        """
        if self.is_open:
            raise GraphUnavailableError(DOWN)
        future = self._writers.submit(work, *args, **kwargs)
        given_up = time.monotonic() + self._deadline
        while not future.done() and not (self.is_open and time.monotonic() > given_up):
            _wait(future, POLL_S)
        if not future.done():
            future.cancel()
            raise GraphUnavailableError("the graph fell silent; the same again does no harm")
        try:
            return future.result()
        except GraphUnavailableError:
            self._open()
            raise

    def close(self) -> None:
        """Begin no more work; what is stuck is left to end by itself."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._writers.shutdown(wait=False, cancel_futures=True)

    def _await(self, future: Future[T], *, give_up: bool = True) -> T:
        try:
            result = future.result(self._deadline)
        except (GraphUnavailableError, FutureTimeoutError) as error:
            if give_up:
                future.cancel()
            self._open()
            raise GraphUnavailableError("the graph did not answer in time") from error
        except BaseException:
            self._closed_again = 0.0  # the graph answered; what it said is the caller's affair
            raise
        self._closed_again = 0.0
        return result

    def _open(self) -> None:
        self._closed_again = time.monotonic() + self._pause


def _wait(future: Future[Any], seconds: float) -> None:
    try:
        future.exception(seconds)
    except FutureTimeoutError:
        return
