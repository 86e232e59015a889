"""The body of a request with events: one, a JSON list, or NDJSON; gzip or plain; bounded.

It is read as it comes, by the event loop: a slow sender holds no thread. What is inflated is
bounded as what is sent. It knows no event.
"""

import json
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.problems import InvalidError, TooLargeError, UnsupportedError

MOST_ROWS = 10_000
LARGEST_BODY = 32 * 1024 * 1024
MOST_VALUES = 4_000_000
"""Commas in a JSON body: parsed, each value takes tens of bytes."""
PIECE = 64 * 1024
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")


@dataclass
class Body:
    """What was sent. `rows` are objects as parsed, `unparsed` says which are none and why; a JSON
    body is still `text`: `parse` takes as long as it takes."""

    text: bytes | None = None
    rows: list[Any] = field(default_factory=list)
    unparsed: dict[int, str] = field(default_factory=dict)
    alone: bool = False

    def parse(self) -> None:
        """Have the rows. Raises InvalidError for what is no JSON, TooLargeError."""
        if self.text is not None:
            parsed = _parsed(self.text)
            self.alone = not isinstance(parsed, list)
            self.rows, self.text = ([parsed] if self.alone else parsed), None
        if not self.rows:
            raise InvalidError("the list of events is empty: send 1 to 10,000")
        if len(self.rows) > MOST_ROWS:
            raise _too_many(str(len(self.rows)))


async def read_body(request: Request) -> Body:
    """Receive the body. Raises TooLargeError as soon as it is known, UnsupportedError."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    pieces = _inflated(request)
    if kind in NDJSON:
        return await _lines(pieces)
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedError(f"expected application/json or {NDJSON[0]}")
    return Body(b"".join([piece async for piece in pieces]))


def _parsed(text: bytes) -> Any:
    if text.count(b",") > MOST_VALUES:
        raise TooLargeError(f"more than {MOST_VALUES} values in one body")
    try:
        return json.loads(text)
    except RecursionError:
        raise InvalidError("the body is not JSON: it is nested too deep") from None
    except ValueError as error:
        raise InvalidError(f"the body is not JSON: {_where(error)}") from None


async def _lines(pieces: AsyncIterator[bytes]) -> Body:
    body, pending = Body(), []
    async for piece in pieces:
        # A line may be as long as the body: it is joined once.
        head, newline, rest = piece.partition(b"\n")
        pending.append(head)
        if not newline:
            continue
        *lines, tail = rest.split(b"\n")
        for line in (b"".join(pending), *lines):
            _add_line(body, line)
        pending = [tail]
    _add_line(body, b"".join(pending))
    return body


def _add_line(body: Body, line: bytes) -> None:
    if not line.strip():
        return
    if len(body.rows) == MOST_ROWS:
        raise _too_many(f"more than {MOST_ROWS}")
    try:
        body.rows.append(json.loads(line))
    except RecursionError:
        body.unparsed[len(body.rows)] = "expected JSON: it is nested too deep"
        body.rows.append(None)
    except ValueError as error:
        body.unparsed[len(body.rows)] = f"expected a line of JSON: {_where(error)}"
        body.rows.append(None)


def _where(error: ValueError) -> str:
    """What is wrong and where, without what was sent."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "expected UTF-8 text" if isinstance(error, UnicodeDecodeError) else "a number too long"


async def _inflated(request: Request) -> AsyncIterator[bytes]:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise UnsupportedError("expected the content encoding gzip, or none")
    inflater = Inflater(LARGEST_BODY) if encoding == "gzip" else None
    try:
        async for chunk in request.stream():
            for piece in inflater.feed(chunk) if inflater else [chunk]:
                yield piece
    except ClientDisconnect:
        raise InvalidError("the body ended too early") from None
    if inflater:
        inflater.end()


class Inflater:
    """Gzip, member after member, in pieces of at most 64 KiB and `limit` bytes in all."""

    def __init__(self, limit: int) -> None:
        self._limit, self._inflated = limit, 0
        self._member = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk inflates to. Raises TooLargeError, and InvalidError for no gzip."""
        full = False
        while chunk or full:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            try:
                piece = self._member.decompress(chunk, PIECE)
            except zlib.error:
                raise InvalidError("the body is not gzip, as Content-Encoding says") from None
            self._inflated += len(piece)
            if self._inflated > self._limit:
                raise TooLargeError(
                    f"the body inflates to more than {self._limit} bytes; send several requests"
                )
            if piece:
                yield piece
            # What fills a piece may have more behind it, though all input was taken.
            full = len(piece) == PIECE and not self._member.eof
            chunk = self._member.unconsumed_tail or self._member.unused_data

    def end(self) -> None:
        """Raise InvalidError unless the last member is whole."""
        if not self._member.eof:
            raise InvalidError("the gzip body ends too early")


def _too_many(count: str) -> TooLargeError:
    return TooLargeError(f"{count} events in one request: send at most {MOST_ROWS}")
