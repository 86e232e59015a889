"""Events in: one or up to 10,000, judged row by row and kept before they are answered."""

import json
from datetime import UTC, datetime
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from api.intake.event_body import MOST_ROWS, NDJSON, read_body
from api.intake.pacing import pace
from api.intake.settlement import settle
from api.intake.taking import Taken, judge, take
from api.problems import ConflictError, InvalidError, NotFoundError, responses
from api.state import Current
from graphdb.events.retraction import retract_event
from ingest.problem import quoted

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
EXAMPLES = {
    "one": {"summary": "One event", "value": EXAMPLE},
    "batch": {
        "summary": "A batch: the second row is a duplicate",
        "value": [EXAMPLE, EXAMPLE, {**EXAMPLE, "event_id": "3f8a1c1e", "item_id": "302"}],
    },
}
SCHEMA = {
    "requestBody": {
        "description": "One event, a list of 1 to 10,000, or as many lines of NDJSON; may be gzip.",
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
                },
                "examples": EXAMPLES,
            },
            NDJSON[0]: {
                "schema": {"type": "string", "description": "An Event a line."},
                "example": "\n".join([json.dumps(EXAMPLE)] * 2),
            },
        },
    }
}


@router.post(
    "/v1/events",
    status_code=202,
    responses=responses(409, 413, 415, 422, 503),
    openapi_extra=SCHEMA,
)
async def post_events(
    request: Request,
    state: Current,
    wait: Annotated[
        bool,
        Query(description="Answer only when the events count in the next recommendation."),
    ] = False,
    validate_only: Annotated[bool, Query(description="Judge the rows and store nothing.")] = False,
) -> Accepted:
    """Take in events. Sent again they are duplicates; a bad row never rejects its neighbours.

    202 means that they are kept durably. Without `wait` duplicates and conflicts are those within
    the request; with it they are exact, and the graph has the events. A single event that is not
    valid is a 422, one whose id is there with other content a 409; in a list both are rejected
    rows.
    """
    body = await read_body(request)
    received_at = datetime.now(UTC)
    work = judge if validate_only else take
    taken = await run_sync(work, state, body, received_at, limiter=state.taking)
    if wait and not validate_only:
        taken = await settle(state, taken)
    elif not validate_only:
        await pace(state, taken)
    if taken.alone and taken.rejected:
        raise _alone(Rejected(**taken.rejected[0]))
    return _accepted(taken)


@router.delete(
    "/v1/events/{event_type}/{event_id:id}", status_code=204, responses=responses(404, 422, 503)
)
def delete_event(event_type: str, event_id: str, state: Current) -> Response:
    """Take an event back (an unlike, a refund): 204 whether it is there, waits, or never came.

    Sent again it stays away.
    """
    if event_type not in state.domain.events:
        known = ", ".join(sorted(state.domain.events))
        raise NotFoundError(f"there is no event type {quoted(event_type)}; there are {known}")
    state.breaker.writing(retract_event, state.working, state.domain, event_type, event_id)
    return Response(status_code=204)


def _accepted(taken: Taken) -> Accepted:
    return Accepted(
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        rejected=[Rejected(**row) for row in sorted(taken.rejected, key=lambda r: r["index"])],
    )


def _alone(rejected: Rejected) -> InvalidError:
    kind = ConflictError if rejected.code == "conflict" else InvalidError
    return kind(f"the event is not taken: {rejected.detail}", [rejected.model_dump()])
