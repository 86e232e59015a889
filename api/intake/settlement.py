"""What the graph made of events that were just kept: waited for, then judged exactly.

Waiting holds no thread. It knows neither HTTP nor how rows get from the stream into the graph.
"""

import time

from anyio import sleep
from anyio.to_thread import run_sync

from api.intake.taking import Taken
from api.problems import NotYetError
from api.state import State
from graphdb.errors import GraphUnavailableError
from graphdb.events.event_lookup import find_events
from graphdb.events.event_row import event_digest
from graphdb.events.partitions import list_partitions
from graphdb.people.tombstones import event_mark, person_mark, read_tombstones

PATIENCE_S = 10.0
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.005, 0.05
REFUSED = {
    "conflict": ("event_id", "the graph has an event of this type and id with other content"),
    "dropped": ("", "the person was erased or the event was taken back: it is not kept"),
    "dead_lettered": ("", "the graph could not take it: it is among the dead letters"),
}


async def settle(state: State, taken: Taken) -> Taken:
    """`taken` with what became of each row in the graph.

    Raises NotYetError after 10 seconds, or at once when the graph does not answer.
    """
    given_up, pause = time.monotonic() + PATIENCE_S, SHORTEST_PAUSE_S
    verdicts: list[str] | None = None
    while verdicts is None:
        try:
            verdicts = await run_sync(_verdicts, state, taken, limiter=state.taking)
        except GraphUnavailableError:
            raise NotYetError("the events are kept, but the graph does not answer") from None
        if verdicts is None:
            if time.monotonic() > given_up:
                raise NotYetError("the events are kept, but the graph has not got them yet")
            await sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 1.5)
    return _settled(taken, verdicts)


def _verdicts(state: State, taken: Taken) -> list[str] | None:
    """accepted, duplicate, or a key of REFUSED for each row; None while one of them is open."""
    partitions = {
        row["partition"]: row for row in state.breaker.writing(list_partitions, state.working)
    }
    last: dict[int, int] = {}
    for place in taken.places:
        last[place.partition] = max(last.get(place.partition, 0), place.seq)
    if any(p not in partitions or partitions[p]["offset"] < seq for p, seq in last.items()):
        return None
    keys = [(row["event_type"], row["event_id"]) for row in taken.rows]
    found = state.breaker.writing(find_events, state.working, state.domain, keys)
    verdicts: list[str] = []
    for key, row, place in zip(keys, taken.rows, taken.places, strict=True):
        if key not in found:
            verdicts.append("missing")
            continue
        source, seq, digest = found[key]
        mine = (source, seq) == (partitions[place.partition]["source"], place.seq)
        same = "duplicate" if digest == event_digest(row) else "conflict"
        verdicts.append("accepted" if mine else same)
    if "missing" in verdicts:
        _explain(state, taken, verdicts)
    # Without a reason the offset was that of a stream that is no more: the new one is to be read.
    return None if "missing" in verdicts else verdicts


def _explain(state: State, taken: Taken, verdicts: list[str]) -> None:
    """Say of missing rows why they will never be there."""
    missing = [n for n, verdict in enumerate(verdicts) if verdict == "missing"]
    put_aside = state.letters.fetch([taken.places[n].name for n in missing])
    marks = {
        n: {person_mark(row["user_id"]), event_mark(row["event_type"], row["event_id"])}
        for n in missing
        for row in [taken.rows[n]]
    }
    every = set().union(*marks.values())
    taken_back = state.breaker.writing(read_tombstones, state.working, every)
    for n in missing:
        if taken.places[n].name in put_aside:
            verdicts[n] = "dead_lettered"
        elif marks[n] & taken_back:
            verdicts[n] = "dropped"


def _settled(taken: Taken, verdicts: list[str]) -> Taken:
    for index, verdict in zip(taken.indexes, verdicts, strict=True):
        if verdict in REFUSED:
            field, detail = REFUSED[verdict]
            taken.rejected.append(
                {"index": index, "code": verdict, "field": field, "detail": detail}
            )
    taken.accepted = verdicts.count("accepted")
    taken.duplicates += verdicts.count("duplicate")
    return taken
