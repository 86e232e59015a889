"""POST /v1/events: what people did, one event or up to 10,000, judged row by row."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict

from api.problems import ConflictError, InvalidError, TooLargeError, responses
from api.state import Current
from graphdb.events import save_events
from ingest.event import Batch, read_events

MOST_ROWS = 10_000
SOURCE = "api"

router = APIRouter(tags=["events"])


class Rejected(BaseModel):
    """Why one row was not taken; its neighbours were."""

    index: int
    code: str
    field: str
    detail: str


class Accepted(BaseModel):
    """What became of the rows: each is counted exactly once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "accepted": 1,
                    "duplicates": 1,
                    "rejected": [
                        {
                            "index": 2,
                            "code": "missing_field",
                            "field": "user_id",
                            "detail": "a required field is missing",
                        }
                    ],
                }
            ]
        }
    )

    accepted: int
    duplicates: int
    rejected: list[Rejected]


EXAMPLE = {
    "event_id": "3f8a1c1d",
    "event_type": "rated",
    "user_id": "196",
    "item_id": "242",
    "occurred_at": "2026-01-05T20:15:00Z",
    "value": 4,
}
BODY = Body(
    description="One event, or a list of 1 to 10,000. See the schema Event.",
    openapi_examples={
        "one": {"summary": "One event", "value": EXAMPLE},
        "batch": {
            "summary": "A batch: the second row is a duplicate",
            "value": [EXAMPLE, EXAMPLE, {**EXAMPLE, "event_id": "3f8a1c1e", "item_id": "302"}],
        },
    },
)
SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        {"$ref": "#/components/schemas/Event"},
                        {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": MOST_ROWS,
                            "items": {"$ref": "#/components/schemas/Event"},
                        },
                    ]
                }
            }
        },
    }
}


@router.post(
    "/v1/events",
    status_code=202,
    responses=responses(409, 413, 422, 503),
    openapi_extra=SCHEMA,
)
def post_events(
    state: Current,
    body: Annotated[Any, BODY],
    wait: Annotated[
        bool,
        Query(description="Answer only when the events count in the next recommendation."),
    ] = False,
    validate_only: Annotated[bool, Query(description="Judge the rows and store nothing.")] = False,
) -> Accepted:
    """Take in events. Sent again they are duplicates; a bad row never rejects its neighbours.

    202 means that the graph has them, with and without `wait`. A single event that is not valid is
    a 422, one whose id is there with other content a 409; in a list both are rejected rows.
    """
    rows = body if isinstance(body, list) else [body]
    _check_size(rows)
    batch = read_events(state.domain, rows, datetime.now(UTC), source=SOURCE)
    if validate_only:
        accepted = Accepted(
            accepted=len(batch.rows),
            duplicates=len(batch.duplicates_within),
            rejected=[Rejected(**row) for row in batch.rejected],
        )
    else:
        accepted = _save(state, batch)
    if not isinstance(body, list) and accepted.rejected:
        raise _alone(accepted.rejected[0])
    return accepted


def _check_size(rows: list[Any]) -> None:
    if not rows:
        raise InvalidError("the list of events is empty: send 1 to 10,000")
    if len(rows) > MOST_ROWS:
        raise TooLargeError(f"{len(rows)} events in one request: send at most {MOST_ROWS}")


def _save(state: Current, batch: Batch) -> Accepted:
    report = state.breaker.writing(save_events, state.working, state.domain, SOURCE, batch.rows)
    conflicts = [
        Rejected(
            index=batch.indexes[n],
            code="conflict",
            field="event_id",
            detail="the graph has an event of this type and id with other content",
        )
        for n in report.conflicts
    ]
    rejected = [Rejected(**row) for row in batch.rejected] + conflicts
    return Accepted(
        accepted=report.accepted,
        duplicates=len(report.duplicates) + len(batch.duplicates_within),
        rejected=sorted(rejected, key=lambda row: row.index),
    )


def _alone(rejected: Rejected) -> InvalidError:
    kind = ConflictError if rejected.code == "conflict" else InvalidError
    return kind(f"the event is not taken: {rejected.detail}", [rejected.model_dump()])
