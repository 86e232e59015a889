"""One event taken back: an unlike, a refund. What is retracted does not come back when it is sent
again. It knows nothing of erasing people."""

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.answers.served import forget_outcomes
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.events.recent import forget_recent
from graphdb.people.tombstones import event_mark, set_tombstone


def retract_event(graph: Graph, domain: Domain, event_type: str, event_id: str) -> bool:
    """Remove an event for good; returns whether it was there. Repeating it changes nothing.

    An event that is still on its way is dropped when it comes. Raises KeyError for a type that the
    domain does not have.
    """
    relationship = domain.events[event_type].relationship
    graph.transaction(lambda tx: set_tombstone(tx, event_mark(event_type, event_id)))
    while not graph.transaction(lambda tx: _remove(tx, relationship, event_id)):
        # From here on every batch sees the tombstone but one that had looked before: it holds the
        # constraint's lock on this id until it ends, and the event is there after all.
        try:
            graph.write(render(AWAIT_CREATION, type=relationship), id=event_id)
        except ConstraintError:
            continue
        return False
    return True


AWAIT_CREATION = """
CREATE (nobody:Tombstone)-[r:<type> {event_id: $id}]->(nobody)
DELETE r, nobody
"""

FIND_EVENT = """
MATCH (u:User)-[r:<type> {event_id: $id}]->()
RETURN u.id AS user, r.source AS source, r.seq AS seq, r.recommendation_id AS list
"""

# The source's lock comes first, as in every batch; its counts and the event go together. Another
# may have taken the event's place by then: it is found the next time.
REMOVE_EVENT = """
MATCH (s:Source {id: $source})
SET s.locked = true
REMOVE s.locked
WITH s
MATCH (u:User)-[r:<type> {event_id: $id, source: $source, seq: $seq}]->()
SET s.events = s.events - 1, s.removed = coalesce(s.removed, 0) + 1,
    u.removed = coalesce(u.removed, 0) + 1
DELETE r
RETURN count(*) AS removed
"""


def _remove(tx: ManagedTransaction, relationship: str, event_id: str) -> bool:
    found = tx.run(render(FIND_EVENT, type=relationship), id=event_id).single()
    if found is None:
        return False
    statement = render(REMOVE_EVENT, type=relationship)
    place = {"source": found["source"], "seq": found["seq"]}
    done = tx.run(statement, place, id=event_id).single(strict=True)
    if done["removed"]:
        forget_recent(tx, found["user"], found["source"], found["seq"])
        forget_outcomes(tx, relationship, [(found["list"], event_id)])
    return bool(done["removed"])
