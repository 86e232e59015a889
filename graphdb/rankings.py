"""Rankings that are nobody's own: what many choose now, and what is new.

Both read the whole graph or catalogue: they are for whoever keeps their lists, not for an answer.
"""

from datetime import datetime
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain

# People, not events: one who comes back a thousand times is one. An item at a time: the people of
# all at once are more than a transaction may hold.
LIST_TRENDING = """
MATCH (i:Item)
WHERE i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true)
CALL (i) {
  MATCH (i)<-[r:<events>]-(u:User)
  WHERE r.at > $since
  RETURN toFloat(count(DISTINCT u)) AS score
}
WITH i.id AS id, score
WHERE score > 0
RETURN id, score
ORDER BY score DESC, id
LIMIT $k
"""


def list_trending(graph: Graph, domain: Domain, since: datetime, k: int) -> list[dict[str, Any]]:
    """Items by how many people have chosen them since then: rows `{"id", "score"}`."""
    types = domain.positive_relationships
    return graph.read(render(LIST_TRENDING, events=types), since=since, k=k) if types else []


LIST_LATEST = """
MATCH (i:Item)
WHERE i.created_at IS NOT NULL
      AND i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true)
RETURN i.id AS id, i.created_at.epochMillis / 1000.0 AS score
ORDER BY i.created_at DESC, id
LIMIT $k
"""


def list_latest(graph: Graph, k: int) -> list[dict[str, Any]]:
    """The newest items of the catalogue: rows `{"id", "score"}`, seconds since 1970."""
    return graph.read(LIST_LATEST, k=k)
