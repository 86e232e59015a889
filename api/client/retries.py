"""When a call is made again: as the API says, else after longer and longer pauses, and not for
ever. It knows neither sockets nor clocks of the event loop: it says how long to wait."""

import random
import time
from dataclasses import dataclass

from api.client.errors import ApiError


@dataclass(frozen=True)
class Retries:
    """attempts: how often a call is made at most; patience_s: no attempt is begun later than that
    after the first; pause_s: the first pause, doubled each time up to longest_s. A Retry-After
    goes before. Pauses are drawn, so that many clients do not come back at once."""

    attempts: float = 4
    patience_s: float = 30.0
    pause_s: float = 0.25
    longest_s: float = 8.0


class Attempts:
    """The attempts at one call; repeatable: whether twice is as good as once."""

    def __init__(self, retries: Retries, repeatable: bool) -> None:
        self._retries, self._repeatable = retries, repeatable
        self._made, self._begun = 0, time.monotonic()

    def pause(self, error: ApiError) -> float:
        """Seconds until the next attempt. Raises the error where there is to be none."""
        self._made += 1
        retries = self._retries
        if self._made >= retries.attempts or not self._may_go_on(error):
            raise error
        longest = min(retries.longest_s, retries.pause_s * 2 ** min(self._made - 1, 30))
        drawn = random.uniform(longest / 2, longest)  # noqa: S311  no secret
        seconds = drawn if error.retry_after is None else error.retry_after + drawn / 4
        if time.monotonic() - self._begun + seconds > retries.patience_s:
            raise error
        return seconds

    def _may_go_on(self, error: ApiError) -> bool:
        """A refusal that is temporary has done nothing, and so has a call that never arrived."""
        refused = error.status in {429, 503}
        return error.temporary and (self._repeatable or refused or not error.arrived)
