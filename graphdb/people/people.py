"""Who is who: people's keys, and people who turned out to be one.

    (source:User)-[:SAME_AS {at}]->(known:User)

Always one hop: whoever is joined to somebody joined is joined to the person at the end. Events are
never moved; whoever reads follows the relationship.
"""

from dataclasses import dataclass
from datetime import datetime

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.errors import PathlightError
from graphdb.people.erasure import ERASED, ErasedError, with_erased


class JoinedElsewhereError(PathlightError):
    """The source is joined to another person already."""


FETCH_PEOPLE = """
MATCH (u:User)
WHERE u.id > $after
WITH u ORDER BY u.id LIMIT $page
RETURN collect([u.id, u.key]) AS people
"""


def fetch_people(graph: Graph) -> dict[str, str]:
    """Every person's key by id: what a process keeps in memory, and never on disk."""
    people: dict[str, str] = {}
    after = ""
    while page := graph.read(FETCH_PEOPLE, after=after, page=50_000)[0]["people"]:
        people |= dict(page)
        after = page[-1][0]
    return people


@dataclass(frozen=True)
class News:
    """What happened to people: joined by the id of the source, how many were ever erased, and the
    graph's time at which this was so."""

    joined: dict[str, str]
    erased: int
    at: datetime


FETCH_NEWS = """
CALL () {
  MATCH (source:User)-[r:SAME_AS]->(known:User)
  WHERE r.at > $since AND source.id IS NOT NULL AND known.id IS NOT NULL
  RETURN collect([source.id, known.id]) AS joined
}
OPTIONAL MATCH (s:Serving {id: 'serving'})
RETURN joined, coalesce(s.erased, 0) AS erased, datetime.realtime() AS at
"""


def fetch_news(graph: Graph, since: datetime) -> News:
    """Who was joined after `since`, and the number of people erased."""
    row = graph.read(FETCH_NEWS, since=since)[0]
    return News(dict(row["joined"]), row["erased"], row["at"].to_native())


# The SET takes the locks, in the order of the ids, before anything else is read.
LOCK_PEOPLE = """
UNWIND $ids AS id
MERGE (u:User {id: id})
ON CREATE SET u.key = randomUUID(), u.created_at = datetime()
SET u.locked = true
REMOVE u.locked
"""

FETCH_KNOWN = """
MATCH (:User {id: $id})-[:SAME_AS]->(known:User)
RETURN known.id AS id
"""

JOIN = """
MATCH (known:User {id: $known})
MATCH (source:User {id: $source})
CALL (source) {
  MATCH (before:User)-[r:SAME_AS]->(source)
  DELETE r
  RETURN collect(before) AS befores
}
UNWIND befores + [source] AS joined
CREATE (joined)-[:SAME_AS {at: datetime.realtime()}]->(known)
"""


def join_people(graph: Graph, target: str, source: str) -> str:
    """Make `source`, and everybody joined to it, one person with `target`; returns that one's id.

    Either is created if need be. A target that was joined itself stands for whom it was joined to.
    Again it changes nothing. Raises JoinedElsewhereError, ErasedError.
    """

    def work(tx: ManagedTransaction, erased: set[str]) -> str:
        if erased:
            raise ErasedError(ERASED)
        return _join(tx, target, source)

    return with_erased(graph, (target, source), work)


def _join(tx: ManagedTransaction, target: str, source: str) -> str:
    locked: set[str] = set()
    known = target
    while not {known, source} <= locked:
        tx.run(LOCK_PEOPLE, ids=sorted({known, source} - locked)).consume()
        locked |= {known, source}
        known = _known(tx, known)
    of_source = _known(tx, source)
    if of_source == known:
        return known
    if of_source != source:
        raise JoinedElsewhereError(
            "the source is joined to another person already; nobody is joined to two"
        )
    tx.run(JOIN, known=known, source=source).consume()
    return known


def _known(tx: ManagedTransaction, user_id: str) -> str:
    found = tx.run(FETCH_KNOWN, id=user_id).single()
    return found["id"] if found else user_id
