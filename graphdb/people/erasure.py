"""People erased: their events, vectors, relations, the lists they were shown, and everybody who was
joined to them.

    (:Tombstone {id: hash})-[:ERASES]->(:User {key})

One transaction sets the tombstones and takes away whatever names the person, so that no answer
finds them from then on; the relationships follow page by page, and ERASES goes with the last. What
arrives later is dropped by the tombstone (graphdb.people.tombstones).
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from neo4j import ManagedTransaction
from neo4j.exceptions import ConstraintError

from graphdb.catalogue.removal import PAGE, remove_relationships
from graphdb.connection import Graph
from graphdb.errors import PathlightError
from graphdb.people.tombstones import find_tombstones, person_mark, set_tombstone

T = TypeVar("T")

ERASED = "this person was erased; nothing of them is taken in again"


class ErasedError(PathlightError):
    """The person was erased: nothing of them is taken in again."""


class _ErasedMeanwhileError(Exception):
    """Somebody was erased while something of them was being written."""


def with_erased(
    graph: Graph, user_ids: Iterable[str], work: Callable[[ManagedTransaction, set[str]], T]
) -> T:
    """Run `work` in one transaction, told who of `user_ids` was erased; it writes nothing of them.

    It is run again when somebody was erased meanwhile: whoever is written is locked by its end, so
    that an erasure waits for it or is seen.
    """
    people = sorted(set(user_ids))

    def attempt(tx: ManagedTransaction) -> T:
        erased = find_erased(tx, people)
        result = work(tx, erased)
        if find_erased(tx, people) != erased:
            raise _ErasedMeanwhileError
        return result

    while True:
        try:
            return graph.transaction(attempt)
        except _ErasedMeanwhileError:
            continue


def find_erased(tx: ManagedTransaction, user_ids: Iterable[str]) -> set[str]:
    """Those of the people `user_ids` who were erased."""
    by_mark = {person_mark(user_id): user_id for user_id in user_ids}
    return {by_mark[mark] for mark in find_tombstones(tx, by_mark)} if by_mark else set()


# Created if need be: so it waits for a batch that is about to create the person.
LOCK_PERSON = """
MERGE (u:User {id: $id})
SET u.locked = true
REMOVE u.locked
"""

# (source)-[:SAME_AS]->(known): whoever of them is named, it is one person.
LIST_MEMBERS = """
MATCH (asked:User {id: $id})
OPTIONAL MATCH (asked)-[:SAME_AS]->(joined:User)
WITH coalesce(joined, asked) AS known
OPTIONAL MATCH (source:User)-[:SAME_AS]->(known)
WITH known, collect(source.id) AS sources
RETURN [known.id] + sources AS members
"""

# The key stays until the end: under it exports find what is not removed yet.
UNNAME = """
MATCH (t:Tombstone {id: $mark})
UNWIND $ids AS id
MATCH (u:User {id: id})
MERGE (t)-[:ERASES]->(u)
SET u = {key: coalesce(u.key, randomUUID())}
"""

COUNT_ERASURE = """
MERGE (s:Serving {id: 'serving'})
SET s.erased = coalesce(s.erased, 0) + 1
"""

LIST_PENDING = """
MATCH (:Tombstone {id: $mark})-[:ERASES]->(u:User)
RETURN u.key AS key
"""

LIST_ALL_PENDING = """
MATCH ()-[:ERASES]->(u:User)
RETURN DISTINCT u.key AS key
"""

REMOVE_LISTS = """
MATCH (:User {key: $key})<-[:SHOWN_TO]-(l:ServedList)
WITH l LIMIT $page
DETACH DELETE l
RETURN count(*) AS removed
"""

# Not detached: an event that a batch adds meanwhile refuses this, has another page removed, and is
# counted.
DELETE_PERSON = """
MATCH (u:User {key: $key})
SET u.locked = true
REMOVE u.locked
WITH u
WHERE NOT EXISTS { (u)-[r]-() WHERE type(r) <> 'ERASES' }
OPTIONAL MATCH ()-[erases:ERASES]->(u)
DELETE erases, u
"""

FIND_PERSON = """
MATCH (u:User {key: $key})
RETURN u.key AS key
"""


def erase_person(graph: Graph, user_id: str) -> None:
    """Erase a person for good, whichever of their ids is given, whether they were there or not.

    Cut short and repeated it ends the same.
    """
    graph.transaction(lambda tx: _mark(tx, user_id))
    _remove(graph, graph.read(LIST_PENDING, mark=person_mark(user_id)))


def finish_erasures(graph: Graph) -> None:
    """Finish what was cut short and never repeated."""
    _remove(graph, graph.read(LIST_ALL_PENDING))


def _mark(tx: ManagedTransaction, user_id: str) -> None:
    locked: set[str] = set()
    members = {user_id}
    while not members <= locked:
        for member in sorted(members - locked):
            tx.run(LOCK_PERSON, id=member).consume()
        locked |= members
        found = tx.run(LIST_MEMBERS, id=user_id).single()
        if found is None:
            # Who was waited for has lost the name to another erasure meanwhile: a later event may
            # bring another of that name, so that one is locked in the same way.
            locked.clear()
            continue
        members |= set(found["members"])
    for member in sorted(members):
        set_tombstone(tx, person_mark(member))
    tx.run(UNNAME, mark=person_mark(user_id), ids=sorted(members)).consume()
    tx.run(COUNT_ERASURE).consume()


def _remove(graph: Graph, pending: list[dict[str, str]]) -> None:
    for row in pending:
        while graph.read(FIND_PERSON, key=row["key"]):
            while graph.write(REMOVE_LISTS, key=row["key"], page=PAGE)[0]["removed"]:
                pass
            remove_relationships(graph, "User", "key", row["key"])
            with suppress(ConstraintError):
                graph.write(DELETE_PERSON, key=row["key"])
