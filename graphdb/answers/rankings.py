"""Rankings that are nobody's own: what many choose now, what is new, and what a field says.

All look at more than an answer has time for: they are for whoever keeps their lists.
"""

from datetime import datetime
from typing import Any

from graphdb.answers.filtering import EVERYTHING, Predicate, restricted
from graphdb.connection import Graph
from graphdb.cypher import render, union
from graphdb.domain import Domain

NEWEST = 100_000
"""Choices that are looked at: the newest."""

# By the type's index on `at`, from the newest on: the rest of the history is not read.
LIST_CHOSEN = """
MATCH (u)-[r:<type>]->(i)
WHERE r.at > $since
WITH u, i, r.at AS at
ORDER BY at DESC LIMIT $newest
RETURN u, i, at
"""

# People, not events: one who comes back a thousand times is one.
LIST_TRENDING = """
CALL () {
<chosen>
}
WITH u, i, at
ORDER BY at DESC LIMIT $newest
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
RETURN i.id AS id, toFloat(count(DISTINCT u)) AS score
ORDER BY score DESC, id
LIMIT $k
"""


def list_trending(
    graph: Graph, domain: Domain, since: datetime, k: int, passing: Predicate = EVERYTHING
) -> list[dict[str, Any]]:
    """Items by how many people have chosen them since then, of the newest choices: rows `{"id",
    "score"}`."""
    parts = [render(LIST_CHOSEN, type=type) for type in domain.positive_relationships]
    if not parts:
        return []
    statement = restricted(LIST_TRENDING.replace("<chosen>", union(parts)), passing)
    return graph.read(statement, since=since, newest=NEWEST, k=k, filter=list(passing.values))


LIST_LATEST = """
MATCH (i:Item)
WHERE i.created_at IS NOT NULL
      AND i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
RETURN i.id AS id, i.created_at.epochMillis / 1000.0 AS score
ORDER BY i.created_at DESC, id
LIMIT $k
"""


def list_latest(graph: Graph, k: int, passing: Predicate = EVERYTHING) -> list[dict[str, Any]]:
    """The newest items of the catalogue: rows `{"id", "score"}`, seconds since 1970."""
    return graph.read(restricted(LIST_LATEST, passing), k=k, filter=list(passing.values))


LIST_BY_FIELD = """
MATCH (i:Item)
WHERE i[$field] IS NOT NULL
      AND i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true) AND <passes>
RETURN i.id AS id, i[$field] AS value
ORDER BY value <direction>, id
LIMIT $k
"""


def list_by_field(
    graph: Graph, field: str, direction: str, k: int, passing: Predicate = EVERYTHING
) -> list[dict[str, Any]]:
    """Items that have a value of this field by it, asc or desc: rows `{"id", "score"}`; a number is
    the score, a text is none."""
    statement = restricted(LIST_BY_FIELD, passing)
    statement = statement.replace("<direction>", "DESC" if direction == "desc" else "ASC")
    rows = graph.read(statement, field=field, k=k, filter=list(passing.values))
    return [
        {"id": row["id"], "score": None if isinstance(row["value"], str) else float(row["value"])}
        for row in rows
    ]
