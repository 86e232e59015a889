"""The short list of a person's last events that stands on the user, so that an answer need not
expand a heavy user's whole history.

    (:User {recent_items, recent_types, recent_values, recent_at, recent_sources, recent_seqs})

Parallel lists in order of arrival, newest last; times in microseconds since 1970; NaN stands for
"no value", which a list cannot hold as null. It knows nothing of duplicates or offsets.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from neo4j import ManagedTransaction

from graphdb.connection import Graph
from graphdb.domain import Domain

RECENT = 50
"""Events kept on the user: an answer expands a history only if more are newer than its version."""

REMEMBER_RECENT = """
UNWIND $rows AS row
MATCH (u:User {id: row.user_id})
SET u.recent_items = (coalesce(u.recent_items, []) + row.items)[-$keep..],
    u.recent_types = (coalesce(u.recent_types, []) + row.types)[-$keep..],
    u.recent_values = (coalesce(u.recent_values, []) + row.values)[-$keep..],
    u.recent_at = (coalesce(u.recent_at, []) + row.at)[-$keep..],
    u.recent_sources = (coalesce(u.recent_sources, []) + row.sources)[-$keep..],
    u.recent_seqs = (coalesce(u.recent_seqs, []) + row.seqs)[-$keep..]
"""


def remember_recent(tx: ManagedTransaction, events: Iterable[dict[str, Any]]) -> None:
    """Append events `{"user_id", "item_id", "type", "at", "event": properties}`, in their order."""
    by_user: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        by_user[event["user_id"]].append(event)
    rows = [
        {
            "user_id": user_id,
            "items": [e["item_id"] for e in kept],
            "types": [e["type"] for e in kept],
            "values": [float(e["event"].get("value", "nan")) for e in kept],
            "at": [e["at"] for e in kept],
            "sources": [e["event"]["source"] for e in kept],
            "seqs": [e["event"]["seq"] for e in kept],
        }
        for user_id, mine in sorted(by_user.items())
        for kept in [mine[-RECENT:]]
    ]
    tx.run(REMEMBER_RECENT, rows=rows, keep=RECENT).consume()


REFRESH_RECENT = """
UNWIND $ids AS id
MATCH (u:User {id: id})
SET u.lock = true
REMOVE u.lock
WITH u
CALL (u) {
  MATCH (u)-[r]->(i:Item)
  WHERE type(r) IN $types
  WITH r, i ORDER BY r.received_at DESC, r.seq DESC LIMIT $keep
  WITH r, i ORDER BY r.received_at, r.seq
  RETURN collect(i.id) AS items, collect(type(r)) AS types,
         collect(coalesce(r.value, 0.0 / 0.0)) AS values,
         collect(r.at.epochSeconds * 1000000 + r.at.microsecond) AS at,
         collect(r.source) AS sources, collect(r.seq) AS seqs
}
SET u.recent_items = items, u.recent_types = types, u.recent_values = values,
    u.recent_at = at, u.recent_sources = sources, u.recent_seqs = seqs
"""


def refresh_recent(graph: Graph, domain: Domain, user_ids: Sequence[str]) -> None:
    """Write the lists of up to some thousand people anew from the events that are there."""
    types = [spec.relationship for spec in domain.events.values()]
    graph.write(REFRESH_RECENT, ids=sorted(user_ids), types=types, keep=RECENT)


FORGET_RECENT = """
MATCH (u:User {id: $user})
WITH u, [n IN range(0, size(coalesce(u.recent_seqs, [])) - 1)
         WHERE NOT (u.recent_sources[n] = $source AND u.recent_seqs[n] = $seq)] AS kept
SET u.recent_items = [n IN kept | u.recent_items[n]],
    u.recent_types = [n IN kept | u.recent_types[n]],
    u.recent_values = [n IN kept | u.recent_values[n]],
    u.recent_at = [n IN kept | u.recent_at[n]],
    u.recent_sources = [n IN kept | u.recent_sources[n]],
    u.recent_seqs = [n IN kept | u.recent_seqs[n]]
"""


def forget_recent(tx: ManagedTransaction, user_id: str, source: str, seq: int) -> None:
    """Take the event of this source and number out of the person's lists."""
    tx.run(FORGET_RECENT, user=user_id, source=source, seq=seq).consume()
