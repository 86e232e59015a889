"""Requests a minute, counted in a real Redis by several processes together."""

import asyncio
import socket
import time

from api.access.rate_limits import RateLimits
from graphdb.local.processes import choose_port


def asked(url: str, *wanted: tuple[str, int]) -> list[int]:
    """The seconds that each request has to wait, asked by two processes in turn."""

    async def ask() -> list[int]:
        processes = [RateLimits(url), RateLimits(url)]
        told = [await processes[n % 2].wait(*one) for n, one in enumerate(wanted)]
        for process in processes:
            await process.close()
        return told

    return asyncio.run(ask())


def test_a_minutes_requests_pass_at_once_and_the_next_has_to_wait(empty_stream):
    told = asked(empty_stream, *[("a", 5)] * 6, ("b", 5), *[("c", 0)] * 20)

    assert told[:5] == [0] * 5
    assert 10 <= told[5] <= 12
    assert told[6:] == [0] * 21


def test_who_has_waited_may_ask_again(empty_stream):
    told = asked(empty_stream, *[("a", 60)] * 61)
    assert (set(told[:60]), told[60]) == ({0}, 1)

    time.sleep(1.05)

    assert asked(empty_stream, *[("a", 60)] * 2) == [0, 1]


def asked_in_vain(url: str) -> None:
    async def ask() -> tuple[set[int], int]:
        limits = RateLimits(url)
        told = {await limits.wait("a", 1) for _ in range(50)}
        await limits.close()
        return told, limits.skipped

    begun = time.monotonic()
    assert asyncio.run(ask()) == ({0}, 50)
    assert time.monotonic() - begun < 2


def test_without_redis_nobody_is_held_up_and_it_is_counted():
    asked_in_vain(f"redis://127.0.0.1:{choose_port(0)}/0")


def test_nor_by_one_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked_in_vain(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
