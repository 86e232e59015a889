"""A name for every request: in its answer, and in the log beside what went wrong."""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
TAKEN = re.compile(r"[0-9a-f][0-9a-f-]{14,34}[0-9a-f]")
"""A sender's own ids are taken if they are UUIDs or the like: a name would get into the log."""


class RequestIds:
    """ASGI middleware: the sender's X-Request-ID or one of ours, as `scope["request_id"]` too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        name = given if TAKEN.fullmatch(given) else secrets.token_hex(8)
        scope["request_id"] = name

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        await self._app(scope, receive, named)
