"""Refuses bodies beyond a bound before they are held in memory, and those that never end."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem


class BodyLimit:
    """ASGI middleware: 413 as soon as a body is known to exceed `limit` bytes, 408 when it has
    not come within `seconds`."""

    def __init__(self, app: ASGIApp, limit: int, seconds: float) -> None:
        self._app, self._limit, self._seconds = app, limit, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit:
            await self._refuse(scope, receive, send)
            return
        received = 0
        until: float | None = asyncio.get_running_loop().time() + self._seconds

        async def bounded() -> Message:
            nonlocal received, until
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, f"the body did not come within {self._seconds:g} s"
                ) from None
            if not message.get("more_body"):
                until = None  # what is waited for from now on is that the sender leaves
            received += len(message.get("body", b""))
            if received > self._limit:
                # Anything else raised here would be answered as a body that cannot be parsed.
                raise HTTPException(413, self._sentence)
            return message

        await self._app(scope, bounded, send)

    @property
    def _sentence(self) -> str:
        return f"the body is larger than {self._limit} bytes; send it in several requests"

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await problem(413, self._sentence)(scope, receive, send)
