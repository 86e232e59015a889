"""Marks of what was taken back for good: people erased and events retracted, as hashes.

    (:Tombstone {id})

Whatever of it arrives later is dropped. A mark is a pseudonym: whoever holds a list of ids can look
for them, nobody can read an id from it. It knows how a mark is made and found, not what it removes.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

from neo4j import ManagedTransaction

from graphdb.connection import Graph


def person_mark(user_id: str) -> str:
    """The tombstone's id for a person."""
    return _mark("person", user_id)


def event_mark(event_type: str, event_id: str) -> str:
    """The tombstone's id for an event."""
    return _mark("event", event_type, event_id)


def _mark(*parts: str) -> str:
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()


# Answered from the count store, whatever their number.
COUNT_TOMBSTONES = """
MATCH (t:Tombstone)
RETURN count(t) AS tombstones
"""


def count_tombstones(tx: ManagedTransaction) -> int:
    """How many there are: a change tells that something was taken back meanwhile."""
    return tx.run(COUNT_TOMBSTONES).single(strict=True)["tombstones"]


FIND_TOMBSTONES = """
UNWIND $ids AS id
MATCH (t:Tombstone {id: id})
RETURN collect(t.id) AS found
"""


def find_tombstones(tx: ManagedTransaction, marks: Iterable[str]) -> set[str]:
    """Those of `marks` that are set."""
    ids = sorted(set(marks))
    return set(tx.run(FIND_TOMBSTONES, ids=ids).single(strict=True)["found"])


def read_tombstones(graph: Graph, marks: Iterable[str]) -> set[str]:
    """Those of `marks` that are set, outside a transaction of one's own."""
    return set(graph.read(FIND_TOMBSTONES, ids=sorted(set(marks)))[0]["found"])


def are_erased(graph: Graph, user_ids: Sequence[str]) -> set[str]:
    """Those of the people `user_ids` who were erased."""
    by_mark = {person_mark(user_id): user_id for user_id in user_ids}
    found = graph.read(FIND_TOMBSTONES, ids=sorted(by_mark))[0]["found"]
    return {by_mark[mark] for mark in found}


SET_TOMBSTONE = """
MERGE (t:Tombstone {id: $id})
ON CREATE SET t.at = datetime()
"""


def set_tombstone(tx: ManagedTransaction, mark: str) -> None:
    """Set a mark; setting it again changes nothing."""
    tx.run(SET_TOMBSTONE, id=mark).consume()
