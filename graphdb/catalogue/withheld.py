"""Items that must not be shown: hidden, expired, or deleted while somebody has them in memory.

Statements that look for candidates leave them out themselves (graphdb.answers.retrieval).
"""

from collections.abc import Sequence

from graphdb.connection import Graph

LIST_WITHHELD = """
MATCH (i:Item)
WHERE i.hidden OR i.expires_at IS NOT NULL
RETURN collect([i.id, CASE WHEN i.hidden THEN 0.0 ELSE i.expires_at.epochMillis / 1000.0 END])
       AS items
"""


def fetch_withheld(graph: Graph) -> dict[str, float]:
    """From when on items must not be shown, in seconds since 1970, by id: 0 for a hidden one."""
    return dict(graph.read(LIST_WITHHELD)[0]["items"])


LIST_MISSING = """
UNWIND $ids AS id
OPTIONAL MATCH (i:Item {id: id})
WITH id, i
WHERE i IS NULL
RETURN collect(id) AS ids
"""
PAGE = 20_000


def list_missing(graph: Graph, ids: Sequence[str]) -> list[str]:
    """Those of `ids` that are no item of the graph: they were deleted."""
    return [
        missing
        for start in range(0, len(ids), PAGE)
        for missing in graph.read(LIST_MISSING, ids=ids[start : start + PAGE])[0]["ids"]
    ]


COUNT_DELETED = """
OPTIONAL MATCH (s:Serving {id: 'serving'})
RETURN coalesce(s.deleted, 0) AS deleted
"""


def count_deleted(graph: Graph) -> int:
    """How many items were ever deleted: when it moves, look for what is missing."""
    return graph.read(COUNT_DELETED)[0]["deleted"]
