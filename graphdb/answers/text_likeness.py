"""What is like what by its text, whoever has touched it or not: a vector index, and doing without.

    (:Item {text_vector, text_encoder})

The index is of vectors of one length, which it is named after: after a change of encoders another
takes its place. It knows nothing of encoding.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from graphdb.connection import Graph
from graphdb.errors import IndexLostError
from graphdb.vector_indexes import create_vector_index, drop_index

INDEX = "item_text_vector_"
SPARE = 100
"""Neighbours asked for beyond what is needed: hidden ones are among them."""

FETCH_LENGTH = """
MATCH (i:Item)
WHERE i.text_encoder = $encoder AND i.text_vector IS NOT NULL
RETURN size(i.text_vector) AS length
LIMIT 1
"""

LIST_INDEXES = """
SHOW VECTOR INDEXES YIELD name, state
WHERE name STARTS WITH $index
RETURN name, state
"""


def index_texts(graph: Graph, encoder: str) -> None:
    """Have this encoder's vectors indexed, in the server's own time; again it changes nothing."""
    found = graph.read(FETCH_LENGTH, encoder=encoder)
    if not found:
        return
    length = found[0]["length"]
    index = f"{INDEX}{length}"
    for there in graph.read(LIST_INDEXES, index=INDEX):
        if there["name"] != index or there["state"] == "FAILED":
            drop_index(graph, there["name"])
    create_vector_index(graph, index, "Item", "text_vector", length)


LIST_NEAR_BY_TEXT = """
MATCH (i:Item {id: $item})
WHERE i.text_vector IS NOT NULL
CALL db.index.vector.queryNodes($index + size(i.text_vector), $near, i.text_vector)
YIELD node AS j, score
WHERE j.text_encoder = i.text_encoder AND j <> i AND NOT j.id IN $exclude
      AND j.hidden IS NULL AND coalesce(j.expires_at > datetime(), true)
RETURN j.id AS id, score
ORDER BY score DESC, id
LIMIT $k
"""

LIST_SIMILAR_BY_TEXT = """
MATCH (i:Item {id: $item})
MATCH (j:Item)
WHERE i.text_vector IS NOT NULL AND j.text_vector IS NOT NULL
      AND j.text_encoder = i.text_encoder AND j <> i AND NOT j.id IN $exclude
      AND j.hidden IS NULL AND coalesce(j.expires_at > datetime(), true)
RETURN j.id AS id, vector.similarity.cosine(i.text_vector, j.text_vector) AS score
ORDER BY score DESC, id
LIMIT $k
"""


def list_similar_by_text(
    graph: Graph, item_id: str, k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items by the cosine of their texts' vectors, (1 + cos) / 2: rows `{"id", "score"}`.

    Every vector is read only where the index is not there or too many of the nearest are hidden.
    """
    asked = {"item": item_id, "k": k, "exclude": list(exclude)}
    near = 2 * k + len(exclude) + SPARE
    with suppress(IndexLostError):
        rows = graph.read(LIST_NEAR_BY_TEXT, index=INDEX, near=near, **asked)
        if len(rows) == k:
            return rows
    return graph.read(LIST_SIMILAR_BY_TEXT, **asked)
