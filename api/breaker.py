"""A deadline and a circuit breaker before the graph, so that an answer never waits for a dead one.

The driver gives up by itself when a server refuses; one that accepts and stays silent is given up
here. It knows nothing of what is called.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import ParamSpec, TypeVar

from graphdb.errors import GraphUnavailableError

P = ParamSpec("P")
T = TypeVar("T")


class GraphBreaker:
    """Calls with a deadline; after a failure others are refused at once until `pause` has passed.

    deadline, pause: seconds. After the pause one call at a time is let through as a probe.
    """

    def __init__(self, deadline: float = 1.5, pause: float = 1.0, threads: int = 40) -> None:
        self._deadline, self._pause = deadline, pause
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graph")
        self._closed_again = 0.0
        self._probing = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the last call failed: the graph counts as down until one succeeds."""
        return self._closed_again > 0

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work`'s result. Raises GraphUnavailableError at the deadline or while open."""
        if not self.is_open:
            return self._attempt(work, *args, **kwargs)
        if time.monotonic() < self._closed_again or not self._probing.acquire(blocking=False):
            raise GraphUnavailableError("the graph did not answer a moment ago")
        try:
            return self._attempt(work, *args, **kwargs)
        finally:
            self._probing.release()

    def writing(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work`'s result without a deadline, but refused at once while open: a client that is
        told 503 within a moment can keep its events; one that hangs cannot."""
        if self.is_open and time.monotonic() < self._closed_again:
            raise GraphUnavailableError("the graph did not answer a moment ago")
        try:
            return work(*args, **kwargs)
        except GraphUnavailableError:
            self._closed_again = time.monotonic() + self._pause
            raise

    def _attempt(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        future = self._pool.submit(work, *args, **kwargs)
        try:
            result = future.result(self._deadline)
        except (GraphUnavailableError, FutureTimeoutError) as error:
            future.cancel()
            self._closed_again = time.monotonic() + self._pause
            raise GraphUnavailableError("the graph did not answer in time") from error
        self._closed_again = 0.0
        return result
