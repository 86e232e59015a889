"""What is known of events and of the sources they came from, without writing anything."""

from collections import defaultdict
from collections.abc import Sequence

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain

FETCH_SOURCE = """
MATCH (s:Source {id: $source})
RETURN s.offset AS offset, s.token AS token
"""


def fetch_source(graph: Graph, source: str) -> tuple[int, str | None]:
    """A source's offset and the token beside it; -1 and None for one that gave nothing yet."""
    rows = graph.read(FETCH_SOURCE, source=source)
    return (rows[0]["offset"], rows[0]["token"]) if rows else (-1, None)


# Both ends without labels: the planner of an empty graph would walk from them, and keep the plan.
LOCATE_EVENTS = """
UNWIND $ids AS id
MATCH ()-[r:<type> {event_id: id}]->()
RETURN collect([r.event_id, r.source, r.seq, r.digest]) AS found
"""


def find_events(
    graph: Graph, domain: Domain, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[str, int, str]]:
    """Source, sequence number and digest of each (type, id) that is there."""
    ids = defaultdict(list)
    for event_type, event_id in keys:
        ids[event_type].append(event_id)
    located = {}
    for event_type, event_ids in ids.items():
        statement = render(LOCATE_EVENTS, type=domain.events[event_type].relationship)
        for event_id, source, seq, digest in graph.read(statement, ids=event_ids)[0]["found"]:
            located[event_type, event_id] = (source, seq, digest)
    return located
