"""Events as the outside world writes them, judged row by row.

`Event` is the one form of an event for REST, files and data sets; `read_events` turns raw rows
into the graph's rows, and one bad row never rejects its neighbours. It knows no database: whether
an event was there before, the graph says.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from graphdb.domain import Domain
from graphdb.events.event_row import EventRow, event_digest, micros
from ingest.problem import (
    Identifier,
    Rejection,
    UserId,
    anonymous_person,
    quoted,
    rejection_of,
)

LARGEST_VALUE = 1e15
LARGEST_JSON_BYTES = 8192
DEEPEST_JSON = 8
MOST_IMPRESSIONS = 500
MOST_JSON_VALUES = 1000
CLOCK_TOLERANCE = timedelta(minutes=5)
FURTHEST_AHEAD = timedelta(hours=24)
OLDEST_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(value: Any) -> datetime:
    """ISO 8601 text or epoch seconds as a UTC time; a time without a zone is UTC.

    Raises ValueError for anything else, and for times before 1970 or after the year 9999.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | datetime):
        raise ValueError("expected an ISO 8601 time or epoch seconds")
    try:
        if isinstance(value, int | float):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        hint = " (milliseconds?)" if isinstance(value, int | float) and value > 1e11 else ""
        raise ValueError(
            f"expected an ISO 8601 time or epoch seconds, not {quoted(value)}{hint}"
        ) from None
    if moment < OLDEST_TIME:
        raise ValueError("expected a time since 1970")
    return moment


def bounded_json(value: Any) -> Any:
    """`value` if it is JSON that may be stored; raises ValueError saying which bound it breaks."""
    _check_shape(value)
    try:
        size = len(json_text(value).encode())
    except (ValueError, TypeError):
        raise ValueError("expected JSON values: Unicode text and finite numbers") from None
    if size > LARGEST_JSON_BYTES:
        raise ValueError(f"expected at most {LARGEST_JSON_BYTES} bytes as JSON, not {size}")
    return value


Time = Annotated[datetime, BeforeValidator(parse_time, json_schema_input_type=str | float)]
JsonObject = Annotated[dict[str, Any], BeforeValidator(bounded_json)]


class Event(BaseModel):
    """One thing somebody did with an item."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "anyOf": [{"required": ["user_id"]}, {"required": ["anonymous_id"]}],
            "examples": [
                {
                    "event_id": "7f0c1e0a-4c0f-4a55-9b0e-3f8a1c1d2e3f",
                    "event_type": "rated",
                    "user_id": "196",
                    "item_id": "242",
                    "occurred_at": "2025-06-01T20:15:00Z",
                    "value": 4,
                }
            ],
        },
    )

    event_id: Identifier | None = Field(
        None, description="Unique for its event type; derived from who, what and when if missing."
    )
    event_type: Identifier = Field(description="One of the domain's event types.")
    user_id: UserId | None = Field(
        None, description="Whose event it is; without it, that of the anonymous_id."
    )
    anonymous_id: Identifier | None = Field(
        None,
        max_length=200,
        description="Whoever is not known yet: merge joins them to a user. Beside a user_id it is "
        "kept on the event.",
    )
    item_id: Identifier
    occurred_at: Time = Field(
        description="ISO 8601 or epoch seconds; without a zone it is UTC. Up to 5 minutes ahead "
        "is accepted, up to 24 hours ahead becomes the time of receipt, more is rejected."
    )
    value: float | None = Field(
        None, strict=True, allow_inf_nan=False, ge=-LARGEST_VALUE, le=LARGEST_VALUE
    )
    session_id: Identifier | None = None
    properties: JsonObject | None = Field(
        None, description="Kept as JSON text of at most 8192 bytes, at most 8 levels deep."
    )
    context: JsonObject | None = Field(None, description="Bounded as properties are.")
    recommendation_id: Identifier | None = Field(
        None, description="The id of the answer that showed the item."
    )
    position: int | None = Field(
        None, strict=True, ge=0, le=1_000_000, description="The item's place in that answer."
    )
    impressions: list[Identifier] | None = Field(
        None, max_length=MOST_IMPRESSIONS, description="The items that were shown beside it."
    )


_EVENT = TypeAdapter(Event)


@dataclass(frozen=True)
class Batch:
    """What became of raw rows: each stands in exactly one of `rows`, `rejected` and
    `duplicates_within`.

    `rows[n]` was raw row `indexes[n]`; `duplicates_within` are raw rows that repeat an earlier one
    of the batch. `too_old` are the rows behind the rejections of that code, to be dead-lettered.
    """

    rows: list[EventRow] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates_within: list[int] = field(default_factory=list)
    too_old: list[EventRow] = field(default_factory=list)


def read_events(
    domain: Domain,
    raw_rows: Sequence[Any],
    received_at: datetime,
    *,
    source: str = "api",
    history: bool = False,
) -> Batch:
    """Judge raw rows (objects as parsed from JSON) one by one; never raises for their content.

    `received_at` must be aware; `source` is part of an id that has to be derived; `history` is
    loaded whatever its age. Codes of rejections: not_an_object, missing_field, unknown_field,
    invalid_value, too_large, unknown_event_type, time_in_future, too_old, conflict (an id of this
    batch with other content).
    """
    batch = Batch()
    first: dict[tuple[str, str], EventRow] = {}
    oldest = None if history else _oldest(domain, received_at)
    for index, raw in enumerate(raw_rows):
        try:
            row = _event_row(domain, _EVENT.validate_python(raw), received_at, source)
        except ValidationError as error:
            batch.rejected.append(rejection_of(index, error))
            continue
        except _RejectedError as error:
            batch.rejected.append(error.at(index))
            continue
        if oldest is not None and row["at"] < oldest:
            batch.rejected.append(_too_old(domain).at(index))
            batch.too_old.append(row)
            continue
        earlier = first.setdefault((row["event_type"], row["event_id"]), row)
        if earlier is row:
            batch.rows.append(row)
            batch.indexes.append(index)
        elif event_digest(earlier) == event_digest(row):
            batch.duplicates_within.append(index)
        else:
            batch.rejected.append(_conflict(row["event_id"]).at(index))
    return batch


class _RejectedError(Exception):
    """A rejection that needs the domain or the clock."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.field, self.detail = code, field, detail

    def at(self, index: int) -> Rejection:
        return {"index": index, "code": self.code, "field": self.field, "detail": self.detail}


def _event_row(domain: Domain, event: Event, received_at: datetime, source: str) -> EventRow:
    if event.event_type not in domain.events:
        raise _unknown_type(domain, event.event_type)
    if (person := _person(event)) is None:
        raise _nobodys()
    ahead = event.occurred_at - received_at
    if ahead > FURTHEST_AHEAD:
        raise _in_future(event.occurred_at)
    clock_skew = ahead > CLOCK_TOLERANCE
    return {
        "event_id": event.event_id or _derived_id(event, person, source),
        "event_type": event.event_type,
        "user_id": person,
        "item_id": event.item_id,
        "occurred_at": micros(event.occurred_at),
        "at": micros(received_at if clock_skew else event.occurred_at),
        "received_at": micros(received_at),
        "value": event.value,
        "anonymous_id": event.anonymous_id if event.user_id is not None else None,
        "session_id": event.session_id,
        "properties": None if event.properties is None else json_text(event.properties),
        "context": None if event.context is None else json_text(event.context),
        "recommendation_id": event.recommendation_id,
        "position": event.position,
        "impressions": event.impressions or None,
    }


def _person(event: Event) -> str | None:
    if event.user_id is not None or event.anonymous_id is None:
        return event.user_id
    return anonymous_person(event.anonymous_id)


def _derived_id(event: Event, person: str, source: str) -> str:
    """The same event sent again gets the same id; the time is the sender's, before any clamping."""
    identity = [source, person, event.item_id, event.event_type, event.occurred_at.isoformat()]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _oldest(domain: Domain, received_at: datetime) -> int | None:
    if domain.horizon_days is None:
        return None
    return micros(received_at) - round(domain.horizon_days * 86_400_000_000)


def _nobodys() -> _RejectedError:
    detail = "a required field is missing: expected user_id or anonymous_id"
    return _RejectedError("missing_field", "user_id", detail)


def _too_old(domain: Domain) -> _RejectedError:
    detail = f"expected a time within the domain's horizon of {domain.horizon_days:g} days"
    return _RejectedError("too_old", "occurred_at", detail)


def _unknown_type(domain: Domain, event_type: str) -> _RejectedError:
    known = ", ".join(sorted(domain.events))
    detail = f"no event type {quoted(event_type)} in domain {domain.name}; it has {known}"
    return _RejectedError("unknown_event_type", "event_type", detail)


def _in_future(moment: datetime) -> _RejectedError:
    detail = f"expected a time at most 24 hours ahead of the server's, not {moment.isoformat()}"
    return _RejectedError("time_in_future", "occurred_at", detail)


def _conflict(event_id: str) -> _RejectedError:
    detail = f"{quoted(event_id)} stands earlier in this batch with other content"
    return _RejectedError("conflict", "event_id", detail)


def json_text(value: Any) -> str:
    """Canonical, so that equal content is equal text."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def _check_shape(value: Any) -> None:
    """Bound depth, number of values and NUL before anything recursive sees them."""
    level, seen = [value], 0
    for _ in range(DEEPEST_JSON + 1):
        below: list[Any] = []
        for entry in level:
            if isinstance(entry, str):
                if "\x00" in entry:
                    raise ValueError("expected text without NUL")
            elif isinstance(entry, dict):
                below.extend(entry)
                below.extend(entry.values())
            elif isinstance(entry, list | tuple):
                below.extend(entry)
        seen += len(level)
        if seen > MOST_JSON_VALUES:
            raise ValueError(f"expected at most {MOST_JSON_VALUES} values")
        if not below:
            return
        level = below
    raise ValueError(f"expected JSON at most {DEEPEST_JSON} levels deep")
