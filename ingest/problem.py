"""What is wrong with a row from outside: field, code and what was expected.

It knows no event, item or domain; the form of ids is here because every door refuses the same.
Codes are few and stable; a detail never repeats more than 80 characters of the input.
"""

import re
from typing import Annotated, Any, TypedDict

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

MOST_QUOTED = 80
ANONYMOUS = "anonymous:"
"""What the id of a person begins with who is known by an anonymous id alone."""

Identifier = Annotated[str, Field(strict=True, min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
"""An opaque id: 1 to 256 characters of Unicode text without NUL."""


def _not_anonymous(user_id: str) -> str:
    if user_id.startswith(ANONYMOUS):
        raise ValueError(
            f"expected an id that does not begin with {ANONYMOUS!r}: give anonymous_id"
        )
    return user_id


UserId = Annotated[Identifier, AfterValidator(_not_anonymous)]
"""The id of a known person."""


def anonymous_person(anonymous_id: str) -> str:
    """The id of the person who is known by this anonymous id alone."""
    return ANONYMOUS + anonymous_id


class Rejection(TypedDict):
    """Why the row at `index` was not taken; `field` is empty when the row as a whole is wrong."""

    index: int
    code: str
    field: str
    detail: str


def rejection_of(index: int, error: ValidationError, field: str | None = None) -> Rejection:
    """The first problem that pydantic found, in this module's words.

    `field` names the field where the model is not the whole row.
    """
    problem = error.errors(include_url=False, include_input=False, include_context=True)[0]
    own = ".".join(str(part) for part in problem["loc"])
    named = ".".join(part for part in (field, own) if part)
    code, detail = _words(problem)
    return {"index": index, "code": code, "field": quoted(named, bare=True), "detail": detail}


def quoted(value: Any, *, bare: bool = False) -> str:
    """`value` in at most 80 printable characters: its repr, or with `bare` the text itself.

    What has no place in UTF-8 is written as an escape.
    """
    text = value[: 2 * MOST_QUOTED] if isinstance(value, str) else _short_repr(value)
    if not bare and isinstance(value, str):
        text = repr(text)
    text = text.encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return text if len(text) <= MOST_QUOTED else text[: MOST_QUOTED - 1] + "…"


def _short_repr(value: Any) -> str:
    # int() refuses to print more than 4,300 digits.
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 77 digits"
    return repr(value) if isinstance(value, int | float) else type(value).__name__


def _words(problem: ErrorDetails) -> tuple[str, str]:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "missing":
        return "missing_field", "a required field is missing"
    if kind == "extra_forbidden":
        return "unknown_field", "there is no such field"
    if kind in ("model_type", "dict_type") and not problem["loc"]:
        return "not_an_object", "expected a JSON object"
    if kind in ("string_too_long", "too_long"):
        return "too_large", f"expected at most {context['max_length']} long"
    if kind == "string_pattern_mismatch":
        return "invalid_value", "expected text without NUL"
    if kind == "string_unicode":
        return "invalid_value", "expected valid Unicode text, without lone surrogates"
    if kind == "value_error":
        detail = problem["msg"].removeprefix("Value error, ")
        return ("too_large" if "expected at most" in detail else "invalid_value"), detail
    return "invalid_value", re.sub(r"^\w+ should (be|have) ", "expected ", problem["msg"])
