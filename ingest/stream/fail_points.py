"""Named places where a process dies when it is told to: how tests prove that nothing is lost.

`PATHLIGHT_FAIL_POINT=consumer.saved` has the process kill itself (SIGKILL) when it first comes
there; `consumer.saved:3` the third time. `failing` does the same to one thread of a test as an
exception. It knows nothing of what lies between the places.
"""

import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

VARIABLE = "PATHLIGHT_FAIL_POINT"

_reached: dict[str, int] = {}
_hooks: list[Callable[[str], None]] = []


def reach(place: str) -> None:
    """Say that the process is here; usually nothing happens."""
    for hook in _hooks:
        hook(place)
    if told := os.environ.get(VARIABLE):
        name, _, count = told.partition(":")
        if name == place:
            _reached[place] = _reached.get(place, 0) + 1
            if _reached[place] == int(count or 1):
                os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def failing(hook: Callable[[str], None]) -> Generator[None]:
    """Call `hook` with every place that this process comes to; what it raises is raised there."""
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)
