"""How often a key may ask, counted in Redis, so that all processes count together.

Each request of a key pushes the moment at which its allowance is whole again by its share of a
minute; one that would push it further than a minute from now has to wait. So a key has a minute's
requests at once, and from then on its rate. While Redis does not answer nobody is held up.
"""

import math
import time

from redis.asyncio import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

HEAD = "pathlight:{rates}:"
SOCKET_S = 0.25
"""Seconds after which Redis counts as down: an answer does not wait longer for its limit."""
PAUSE_S = 1.0
"""Seconds for which it is not asked again after a failure."""

# The server's clock, as those of the processes may differ; microseconds are whole numbers in Lua.
TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local whole = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now))
local next = whole + 60000000 / ARGV[1]
if next - now > 60000000 then return math.ceil((next - now - 60000000) / 1000) end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000))
return 0
"""


class RateLimits:
    """The limits on one Redis; belongs to one event loop and connects when first used."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=SOCKET_S,
            socket_connect_timeout=SOCKET_S,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._take = Redis(connection_pool=self._pool).register_script(TAKE)
        self._down_until = 0.0
        self.skipped = 0

    async def wait(self, key: str, rate: int) -> int:
        """Whole seconds until the key may ask again: 0 lets this request pass and counts it.

        With `rate` 0 there is no limit. While Redis is away every request passes, and is counted
        in `skipped`.
        """
        if not rate:
            return 0
        if time.monotonic() < self._down_until:
            self.skipped += 1
            return 0
        try:
            milliseconds = await self._take(keys=[HEAD + key], args=[rate])
        except (RedisError, OSError):
            self._down_until = time.monotonic() + PAUSE_S
            self.skipped += 1
            return 0
        return math.ceil(int(milliseconds) / 1000)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.disconnect()
