"""The whole stream again, into an empty graph, in its order and in any other: the same graph."""

import random
from datetime import timedelta

import pytest

from graphdb.canonical import hash_graph
from graphdb.events.event_row import EventRow
from graphdb.events.retraction import retract_event
from graphdb.people.people import join_people
from graphdb.schema import create_schema
from ingest.event import read_events
from ingest.stream.partition_reader import Terms
from ingest.stream.stream import EventStream
from tests.ingest.conftest import until_written
from tests.model import expected, stored
from tests.rows import NOON
from tests.wiping import wipe

pytestmark = pytest.mark.faults

SEED = 7
SHUFFLES = 2
JOINS = [("ann", "anonymous:1"), ("bob", "anonymous:2"), ("anonymous:3", "anonymous:4")]


@pytest.fixture
def stream(patient_stream: EventStream) -> EventStream:
    """In place of the others'."""
    return patient_stream


def requests(rng: random.Random) -> list[list[dict]]:
    """What senders send: known and anonymous people, duplicates, other content under an id that is
    taken, clocks that are ahead, ids that have to be derived."""

    def one() -> dict:
        who = rng.choice(["user_id", "anonymous_id", "both"])
        people = {"user_id": rng.choice(["ann", "bob", "cid"]), "anonymous_id": rng.choice("1234")}
        ahead = timedelta(minutes=rng.choice([-3000, -10, 0, 4, 30]))
        return {
            "event_type": rng.choice(["rated", "watched", "dismissed"]),
            "item_id": str(rng.randrange(12)),
            "occurred_at": (NOON + ahead).isoformat(),
            "properties": {"screen": rng.choice("ab")},
            **({} if rng.random() < 0.3 else {"event_id": str(rng.randrange(150))}),
            **({} if rng.random() < 0.5 else {"value": rng.randrange(5)}),
            **(people if who == "both" else {who: people[who]}),
        }

    return [[one() for _ in range(rng.randrange(1, 12))] for _ in range(40)]


def accepted(domain, rng: random.Random) -> list[list[EventRow]]:
    """The rows of each request as the door lets them through, some requests sent twice."""
    sent = requests(rng)
    order = [*sent, *rng.sample(sent, 15)]
    times = [NOON + timedelta(seconds=10 * n) for n in range(len(order))]
    return [read_events(domain, rows, time).rows for rows, time in zip(order, times, strict=True)]


def replay(graph, domain, stream: EventStream, consuming, batches: list[list[EventRow]], rng):
    """Into an empty graph; people are joined and events taken back at any moment meanwhile."""
    wipe(graph)
    stream.redis.flushdb()
    create_schema(graph, domain)
    given = [(stream.append, (rows,)) for rows in batches]
    given += [(join_people, (graph, *pair)) for pair in JOINS]
    given += [(retract_event, (graph, domain, "rated", str(n))) for n in range(0, 150, 10)]
    if rng:
        rng.shuffle(given)
    with consuming(terms=Terms(lease_s=2, keep_rows=10_000)):
        for step, arguments in given:
            step(*arguments)
        until_written(graph, stream)
    return hash_graph(graph)


def test_the_stream_replayed_into_an_empty_graph_gives_the_same_hash(
    graph, domain, stream, letters, consuming
):
    print("seed", SEED)
    rng = random.Random(SEED)
    batches = accepted(domain, rng)
    sent = [row for rows in batches for row in rows]
    first = replay(graph, domain, stream, consuming, batches, None)
    in_order = [row for p in range(2) for chunk in stream.read(p, 0, 1000) for row in chunk.rows]
    taken_back = {("rated", str(n)) for n in range(0, 150, 10)}

    assert stored(graph, domain) == expected(sent, taken_back)
    assert len(expected(sent, taken_back)) > 120
    assert len(in_order) == len(sent)
    assert {letter.reason for letter in letters.list_letters()} == {"conflict"}
    assert replay(graph, domain, stream, consuming, [in_order], None) == first
    for _ in range(SHUFFLES):
        shuffled = rng.sample(sent, len(sent))
        batches = [shuffled[start : start + 40] for start in range(0, len(shuffled), 40)]
        assert replay(graph, domain, stream, consuming, batches, rng) == first
