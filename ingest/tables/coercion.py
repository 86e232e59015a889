"""Columns of text and numbers as the types that events and fields have, whole columns at a time.

A column is a list (text, or JSON values) or a pyarrow array; None is no value. Each function gives
the values and, by position, what is wrong with those that it could not take: the sentence of
ingest.problem's style. It knows no event and no file.
"""

import ast
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from graphdb.events.event_row import micros
from ingest.event import LARGEST_VALUE, bounded_json, parse_time
from ingest.problem import quoted

LONGEST_ID = 256
SCALES = {"seconds": 1_000_000, "milliseconds": 1000, "microseconds": 1}
LATEST = 253_402_300_799_000_000
"""The last second of the year 9999, in microseconds."""

Coerced = tuple[list[Any], dict[int, str]]
_LONE = re.compile("[\ud800-\udfff]")


def identifiers(column: Any) -> Coerced:
    """Texts of 1 to 256 characters; whole numbers are written out."""
    values = listed(column)
    given = [value for value in values if value is not None]
    try:
        joined = "".join(given)
    except TypeError:
        return _each(values, _identifier)
    longest = max(map(len, given), default=1)
    if longest > LONGEST_ID or "" in given or "\x00" in joined or not _is_unicode(joined):
        return _each(values, _identifier)
    return values, {}


def numbers(column: Any, decimal: str = ".") -> Coerced:
    """Finite numbers within ±1e15 as floats; text is read, `decimal` before its fraction."""
    values = listed(column)
    if decimal != ".":
        values = [v.replace(decimal, ".") if isinstance(v, str) else v for v in values]
    try:
        found = [None if value is None else float(value) for value in values]
    except (ValueError, TypeError, OverflowError):
        return _each(values, _number)
    given = [abs(value) for value in found if value is not None]
    # A sum finds NaN, and a largest one infinity; float() also reads 1_000 and True.
    plain = math.isfinite(math.fsum(given)) and max(given, default=0.0) <= LARGEST_VALUE
    if not plain or any(isinstance(v, bool) or (isinstance(v, str) and "_" in v) for v in values):
        return _each(values, _number)
    return found, {}


def integers(column: Any) -> Coerced:
    """Whole numbers of 64 bits; 3.0 is one."""
    return _each(listed(column), _integer)


def booleans(column: Any) -> Coerced:
    """True and false, 1 and 0, yes and no, whatever their case."""
    return _each(listed(column), _boolean)


def texts(column: Any) -> Coerced:
    """Text as it stands; numbers are written out."""
    return _each(listed(column), _text)


def strings(column: Any, separator: str) -> Coerced:
    """Lists of text: JSON lists, or text split at `separator`; what is empty is left out."""
    return _each(listed(column), lambda value: _strings(value, separator))


def objects(column: Any) -> Coerced:
    """JSON objects within the bounds of an event's properties, as objects or as text."""
    return _each(listed(column), _object)


def times(column: Any, unit: str) -> Coerced:
    """Whole microseconds since 1970; `unit` as `files.events.time` of a domain says it.

    A Parquet column of times says its unit itself; without a zone it is UTC.
    """
    found = _arrow_times(column)
    values = listed(column) if found is None else []
    if found is None:
        try:
            found = _times_at_once(values, unit)
        except (ValueError, TypeError, OverflowError):
            return _each(values, lambda value: _time(value, unit))
    given = [moment for moment in found if moment is not None]
    if given and not 0 <= min(given) <= max(given) <= LATEST:
        return _each(
            values or found, lambda value: _time(value, unit if values else "microseconds")
        )
    return found, {}


def _times_at_once(values: list[Any], unit: str) -> list[int | None]:
    """Raises ValueError or TypeError if one of them is not as most are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if unit in SCALES:
        scale = SCALES[unit]
        if any(isinstance(value, bool) for value in values):
            raise TypeError
        return [None if v is None else _scaled(v, scale) for v in values]
    if not all(value is None or isinstance(value, str) for value in values):
        raise TypeError
    text = pa.array(values, pa.string())
    if "%" in unit:
        if "%z" in unit or "%f" in unit:
            raise ValueError
        moments = pc.call_function("strptime", [text], pc.StrptimeOptions(unit, "us"))
    else:
        moments = _iso(text)
    return moments.cast(pa.int64()).to_pylist()


def _iso(text: Any) -> Any:
    import pyarrow as pa

    try:
        return text.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        return text.cast(pa.timestamp("us", tz="UTC"))


def _scaled(value: Any, scale: int) -> int:
    # Whole numbers stay exact: a float has no room for microseconds of this century.
    if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
        return int(value) * scale
    return round(float(value) * scale)


def _arrow_times(column: Any) -> list[int | None] | None:
    """Microseconds if it is a pyarrow array of times; else None."""
    import pyarrow as pa

    if isinstance(column, list) or not pa.types.is_temporal(column.type):
        return None
    moments = column.cast(pa.timestamp("us"), safe=False)
    return moments.cast(pa.int64()).to_pylist()


def _each(values: list[Any], read: Callable[[Any], Any]) -> Coerced:
    """One by one; `read` raises ValueError with the sentence."""
    found: list[Any] = []
    wrong: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            found.append(None if value is None else read(value))
        except ValueError as error:
            found.append(None)
            wrong[position] = str(error)
    return found, wrong


def _identifier(value: Any) -> str:
    text = _text(value)
    if not text:
        raise ValueError("expected at least 1 character")
    if len(text) > LONGEST_ID:
        raise ValueError(f"expected at most {LONGEST_ID} long")
    return text


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected text, not {quoted(value)}")
    text = str(value)
    if "\x00" in text:
        raise ValueError("expected text without NUL")
    if not _is_unicode(text):
        raise ValueError("expected text in the file's encoding")
    return text


def _number(value: Any) -> float:
    wrong = ValueError(f"expected a number, not {quoted(value)}")
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise wrong
    try:
        number = float(value)
    except (ValueError, TypeError, OverflowError):
        raise wrong from None
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, not {quoted(value)}")
    if abs(number) > LARGEST_VALUE:
        raise ValueError(f"expected a number within ±{LARGEST_VALUE:g}, not {quoted(value)}")
    return number


def _integer(value: Any) -> int:
    wrong = ValueError(f"expected a whole number, not {quoted(value)}")
    try:
        number = int(value) if isinstance(value, str) and "_" not in value else value
    except ValueError:
        number = _number(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise wrong
    return number


def _boolean(value: Any) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    text = str(value).strip().lower()
    if text not in known:
        raise ValueError(f"expected true or false, not {quoted(value)}")
    return known[text]


def _strings(value: Any, separator: str) -> list[str]:
    if isinstance(value, str):
        value = _json_list(value) if value.startswith("[") else value.split(separator)
    if not isinstance(value, list):
        value = [value]
    parts = [_text(part).strip() for part in value if part is not None]
    return list(dict.fromkeys(part for part in parts if part))


def _json_list(text: str) -> list[Any]:
    """A list as JSON or as Python writes one; other text that begins with [ is one value."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list):
            return value
    return [text]


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"expected a JSON object, not {quoted(value)}") from None
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, not {quoted(value)}")
    return bounded_json(value)


def _time(value: Any, unit: str) -> int:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        value = _read_time(value, unit)
    return micros(parse_time(value))


def _read_time(value: Any, unit: str) -> Any:
    try:
        if unit in SCALES:
            return datetime.fromtimestamp(float(value) * SCALES[unit] / 1_000_000, UTC)
        if "%" in unit:
            return datetime.strptime(str(value), unit)  # noqa: DTZ007 a time without zone is UTC
    except (ValueError, OverflowError, OSError):
        said = unit if "%" in unit else f"{unit} since 1970"
        raise ValueError(f"expected a time as {said}, not {quoted(value)}") from None
    if isinstance(value, str) and re.fullmatch(r"\d{9,10}(\.\d+)?", value):
        return float(value)
    return value


def listed(column: Any) -> list[Any]:
    """Plain values; text out of numbers that a file holds as floats because some are missing."""
    return column if isinstance(column, list) else column.to_pylist()


def _is_unicode(text: str) -> bool:
    return text.isascii() or not _LONE.search(text)
