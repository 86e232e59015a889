"""Bodies of events: lines across chunks, gzip in members and pieces, bounds at once."""

import asyncio
import gzip
import itertools
import json
import random

import pytest
from starlette.requests import Request

from api.intake.event_body import LARGEST_BODY, MOST_ROWS, Body, Inflater, read_body
from api.problems import InvalidError, TooLargeError, UnsupportedError


def read(chunks: list[bytes], **headers: str) -> Body:
    """What is read of a body that comes in these chunks."""

    async def receive():
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    waiting = [*chunks, b""]
    sent = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    body = asyncio.run(read_body(Request({"type": "http", "headers": sent}, receive)))
    body.parse()
    return body


def cut(content: bytes, seed: int) -> list[bytes]:
    rng = random.Random(seed)
    cuts = [0, *sorted(rng.choices(range(len(content)), k=12)), len(content)]
    return [content[a:b] for a, b in itertools.pairwise(cuts)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_lines_are_the_same_wherever_the_chunks_are_cut(seed, packed):
    rows = [{"n": n, "text": "é" * n} for n in range(50)]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    headers = {"content_type": "application/x-ndjson; charset=utf-8"}
    if packed:
        content = gzip.compress(content[:700]) + gzip.compress(content[700:])
        headers["content_encoding"] = "gzip"

    body = read(cut(content, seed), **headers)

    assert (body.rows, body.unparsed, body.alone) == (rows, {}, False)


def test_a_json_body_is_one_row_or_its_list():
    assert read([b'{"a"', b": 1}"]).alone
    assert read([b"[1, ", b'"x"]'], content_type="application/json").rows == [1, "x"]
    assert not read([b"[1]"]).alone


def test_a_line_that_is_no_json_is_told_by_its_row_and_without_its_text():
    body = read([b'{}\n\n{"secret\n\xff\n1'], content_type="application/x-ndjson")

    assert body.rows == [{}, None, None, 1]
    assert set(body.unparsed) == {1, 2}
    assert "secret" not in str(body.unparsed)


@pytest.mark.parametrize(
    ("content", "headers", "error"),
    [
        (b"{", {}, InvalidError),
        (b"", {}, InvalidError),
        (b"[]", {}, InvalidError),
        (b"\xff", {}, InvalidError),
        (b"[" * 200_000, {}, InvalidError),
        (b"9" * 5000, {}, InvalidError),
        (b"[" + b"1," * MOST_ROWS + b"1]", {}, TooLargeError),
        (b"1\n" * (MOST_ROWS + 1), {"content_type": "application/x-ndjson"}, TooLargeError),
        (b"{}", {"content_type": "text/plain"}, UnsupportedError),
        (b"{}", {"content_encoding": "deflate"}, UnsupportedError),
        (b"{}", {"content_encoding": "gzip"}, InvalidError),
        (gzip.compress(b"{}", mtime=0)[:-3], {"content_encoding": "gzip"}, InvalidError),
        (
            gzip.compress(b" " * (LARGEST_BODY + 1), mtime=0),
            {"content_encoding": "gzip"},
            TooLargeError,
        ),
    ],
)
def test_what_cannot_be_read_is_an_error_of_its_kind(content, headers, error):
    with pytest.raises(error):
        read([content], **headers)


def test_what_inflates_comes_in_small_pieces_and_ends_at_the_limit():
    bomb = gzip.compress(b"0" * (50 << 20))
    inflater, sizes = Inflater(1 << 20), []

    with pytest.raises(TooLargeError):
        sizes.extend(len(piece) for piece in inflater.feed(bomb))

    whole = Inflater(50 << 20)
    assert sum(len(piece) for piece in whole.feed(bomb)) == 50 << 20
    assert max(len(piece) for piece in Inflater(50 << 20).feed(bomb)) <= 64 << 10
    whole.end()
