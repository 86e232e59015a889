"""Rows as HTTP takes and lists them: how many at once, what became of each, and pages by a cursor.

It knows no kind of row.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.problems import ConflictError, InvalidError, TooLargeError
from graphdb.people.erasure import ERASED, ErasedError
from ingest.problem import Rejection


def check_size(rows: Sequence[Any], most: int, what: str) -> None:
    """Raise unless there are 1 to `most` rows; `what` names them in the sentence."""
    if not rows:
        raise InvalidError(f"the list of {what} is empty: send 1 to {most:,}")
    if len(rows) > most:
        raise TooLargeError(f"{len(rows):,} {what} in one request: send at most {most:,}")


def as_list(body: Any, most: int, what: str) -> list[Any]:
    """The rows of a body that has to be a list of 1 to `most` rows."""
    if not isinstance(body, list):
        raise InvalidError(f"expected a list of {what}", [{"field": "body", "detail": "no list"}])
    check_size(body, most, what)
    return body


def alone(rejected: Sequence[Rejection], what: str) -> None:
    """Raise what became of a row that was sent by itself, if it was not taken."""
    errors = [{k: v for k, v in row.items() if k != "index"} for row in rejected]
    if not rejected:
        return
    first = rejected[0]
    if first["code"] == "erased":
        raise ErasedError(ERASED)
    kind = ConflictError if first["code"] == "conflict" else InvalidError
    raise kind(f"the {what} is not taken: {first['field'] or 'body'}: {first['detail']}", errors)


def erased(index: int, field: str) -> Rejection:
    """The rejection of a row that names somebody who was erased."""
    return {"index": index, "code": "erased", "field": field, "detail": ERASED}


def body_of(schema: str, most: int, *, or_one: bool = False) -> dict[str, Any]:
    """The OpenAPI of a body that its endpoint judges row by row: a list of this schema's rows, or
    with `or_one` a row by itself."""
    row = {"$ref": f"#/components/schemas/{schema}"}
    rows = {"type": "array", "minItems": 1, "maxItems": most, "items": row}
    content = {"application/json": {"schema": {"oneOf": [row, rows]} if or_one else rows}}
    return {"requestBody": {"required": True, "content": content}}


class PageQuery(BaseModel):
    """Where a page begins and how many it holds."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(
        None, max_length=2048, description="`next_cursor` of the page before; none for the first."
    )
    limit: int = Field(100, ge=1, le=1000)

    @property
    def after(self) -> str:
        """The id that the page comes after. Raises InvalidError for what is no cursor of ours."""
        try:
            raw = (self.cursor or "").encode("ascii")
            return base64.b64decode(raw, altchars=b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            sentence = "expected the next_cursor of an earlier answer"
            raise InvalidError(
                f"cursor: {sentence}", [{"field": "query.cursor", "detail": sentence}]
            ) from None


def next_cursor(entries: Sequence[dict[str, Any]], limit: int) -> str | None:
    """The cursor behind the first `limit` of `entries`, None when there are no more."""
    if len(entries) <= limit:
        return None
    return base64.urlsafe_b64encode(entries[limit - 1]["id"].encode()).decode()
