"""Senders of batches are held back for a moment while many events wait for the graph.

Without it four clients that send as fast as they are answered would be ever further ahead of the
graph. Single events are never held: they are what a person waits for.
"""

import time

from anyio import sleep
from anyio.to_thread import run_sync

from api.intake.taking import Taken
from api.state import State
from ingest.stream.stream import StreamUnavailableError

BATCH = 100
MOST_WAITING = 10_000
"""A second or two of a consumer's work."""
LONGEST_S, PAUSE_S = 1.0, 0.05


async def pace(state: State, taken: Taken) -> None:
    """Return when few events wait, and after a second at the latest; no thread is held."""
    if len(taken.rows) < BATCH:
        return
    given_up = time.monotonic() + LONGEST_S
    while await run_sync(_waiting, state, limiter=state.taking) > MOST_WAITING:
        if time.monotonic() > given_up:
            return
        await sleep(PAUSE_S)


def _waiting(state: State) -> int:
    try:
        return sum(numbers.appended - numbers.done for numbers in state.stream.backlog())
    except StreamUnavailableError:
        return 0  # what was sent is kept already
