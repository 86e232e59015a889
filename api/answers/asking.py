"""Who asks: exactly one of a known person, an anonymous one, or the events of a session.

It turns what a request says into a person's id and events; it knows nothing of answers.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from api.problems import InvalidError
from graphdb.answers.retrieval import NewEvent
from graphdb.domain import Domain
from graphdb.events.weights import counted, event_weights
from ingest.problem import anonymous_person

MOST_EVENTS = 1000

Id = Annotated[str, Field(min_length=1, max_length=256)]


class SessionEvent(BaseModel):
    """One event of a session, which is now: it has no time and nothing of it is kept."""

    model_config = ConfigDict(extra="forbid")

    item_id: Id
    event_type: str
    value: float | None = Field(None, allow_inf_nan=False)


class Person(BaseModel):
    """Who asks, by one of their ids."""

    model_config = ConfigDict(extra="forbid")

    user_id: Id | None = None
    anonymous_id: Id | None = None


class Asker(Person):
    """Who asks; a GET names a session's items only."""

    session: list[Id] | None = Field(
        None, min_length=1, max_length=MOST_EVENTS, description="Items, oldest first."
    )


class AskerWithEvents(Person):
    """Who asks; a session's events may say more than their items."""

    session: list[Id | SessionEvent] | None = Field(
        None,
        min_length=1,
        max_length=MOST_EVENTS,
        description="Items or events `{item_id, event_type, value}`, oldest first; not kept.",
    )


def person_asking(
    domain: Domain, asker: Asker | AskerWithEvents, place: str
) -> tuple[str, tuple[NewEvent, ...]]:
    """The id of the person who asks, empty for a session, and the session's events.

    place: where the request carries them, for errors. Raises InvalidError.
    """
    given = [n for n in ("user_id", "anonymous_id", "session") if getattr(asker, n) is not None]
    if len(given) != 1:
        raise InvalidError(
            "the request is not valid",
            [
                {
                    "field": f"{place}.{given[1] if given else 'user_id'}",
                    "detail": "expected exactly one of user_id, anonymous_id and session",
                }
            ],
        )
    if asker.session is not None:
        return "", _session_events(domain, asker.session, f"{place}.session")
    if asker.anonymous_id is not None:
        return anonymous_person(asker.anonymous_id), ()
    return asker.user_id or "", ()


def _session_events(
    domain: Domain, session: Sequence[str | SessionEvent], place: str
) -> tuple[NewEvent, ...]:
    """A bare item weighs as much as an item can; events weigh and count as if they were kept."""
    kinds = list(domain.events)
    for n, given in enumerate(session):
        if isinstance(given, SessionEvent) and given.event_type not in domain.events:
            detail = f"expected one of {', '.join(sorted(kinds))}"
            raise InvalidError(
                "the request is not valid",
                [{"field": f"{place}.{n}.event_type", "detail": detail}],
            )
    events = [given for given in session if isinstance(given, SessionEvent)]
    kind = np.array([kinds.index(event.event_type) for event in events], np.intp)
    value = np.array([np.nan if e.value is None else e.value for e in events], float)
    order = np.arange(len(events), dtype=np.int64)
    _, pair = np.unique(np.array([e.item_id for e in events], dtype=object), return_inverse=True)
    weight = event_weights(domain.events, kind, value, order, 0)
    weight = iter(counted(domain.events, pair, kind, order, weight).tolist())
    return tuple(
        NewEvent(given, "", domain.weight_cap, True)
        if isinstance(given, str)
        else NewEvent(
            given.item_id, given.event_type, next(weight), domain.events[given.event_type].seen
        )
        for given in session
    )
