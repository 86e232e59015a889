"""Rows of a request into the stream: judged one by one, then kept, all or none.

It knows neither HTTP nor when the graph will have them.
"""

from dataclasses import dataclass, field
from datetime import datetime

from api.intake.event_body import Body
from api.state import State
from graphdb.events.event_row import EventRow
from ingest.event import Batch, read_events
from ingest.problem import Rejection
from ingest.stream.dead_letters import letter_of
from ingest.stream.stream import Place

SOURCE = "api"


@dataclass
class Taken:
    """What became of a request's rows. `rows[n]` was raw row `indexes[n]` and stands in the stream
    at `places[n]`; `alone`: it was one event and no list."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    alone: bool
    rows: list[EventRow] = field(default_factory=list)
    indexes: list[int] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


def judge(state: State, body: Body, received_at: datetime) -> Taken:
    """Judge the rows and store nothing."""
    return _judged(state, body, received_at)[0]


def take(state: State, body: Body, received_at: datetime) -> Taken:
    """Judge the rows and keep the valid ones; those too old for the graph become dead letters.

    Raises StreamUnavailableError when they cannot be kept: then none is.
    """
    taken, batch = _judged(state, body, received_at)
    taken.places = state.stream.append(batch.rows)
    detail = "older than the domain's horizon"
    old = [letter_of(row, "too_old", detail, SOURCE, received_at) for row in batch.too_old]
    state.letters.put(old)
    return taken


def _judged(state: State, body: Body, received_at: datetime) -> tuple[Taken, Batch]:
    body.parse()
    batch = read_events(state.domain, body.rows, received_at, source=SOURCE)
    for rejection in batch.rejected:
        if detail := body.unparsed.get(rejection["index"]):
            rejection.update(code="invalid_json", detail=detail)
    taken = Taken(
        accepted=len(batch.rows),
        duplicates=len(batch.duplicates_within),
        rejected=list(batch.rejected),
        alone=body.alone,
        rows=batch.rows,
        indexes=batch.indexes,
    )
    return taken, batch
