"""Refuses bodies beyond a bound before they are held in memory, and senders that never end."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

PATIENCE_S = 120.0
"""A body of the largest size in that time is 2 Mbit/s."""


class BodyLimit:
    """ASGI middleware: 413 as soon as a body is known to exceed `limit` bytes, 408 when it has not
    come within `patience_s`."""

    def __init__(self, app: ASGIApp, limit: int, patience_s: float = PATIENCE_S) -> None:
        self._app, self._limit, self._patience_s = app, limit, patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        received, ended = 0, False
        given_up = asyncio.get_running_loop().time() + self._patience_s

        async def bounded() -> Message:
            nonlocal received, ended
            try:
                # Who has sent all of a body may take any time with what comes after it.
                async with asyncio.timeout_at(None if ended else given_up):
                    message = await receive()
            except TimeoutError:
                # The connection too: what is still sent would be read for nothing.
                raise HTTPException(408, self._late, {"Connection": "close"}) from None
            received += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if received > self._limit:
                # Anything else raised here would be answered as a body that cannot be parsed.
                raise HTTPException(413, self._sentence)
            return message

        await self._app(scope, bounded, send)

    @property
    def _sentence(self) -> str:
        return f"the body is larger than {self._limit} bytes; send it in several requests"

    @property
    def _late(self) -> str:
        return f"the body did not come within {self._patience_s:g} seconds"

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await problem(413, self._sentence)(scope, receive, send)
