"""Answers from what a publication left in the graph alone: vectors, their index, item–item weights.

It is for when the version's files cannot be read: nothing is scored whole and no new event is
folded in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.versions.slots import index_name

# An inner product comes back from the index's score by both lengths; of a cosine both are 1.
LIST_NEAR_PUBLISHED = """
UNWIND $keys AS key
MATCH (u:User {key: key})
WHERE u.<vector> IS NOT NULL
WITH u.<vector> AS vector LIMIT 1
WITH vector, sqrt(reduce(sum = 0.0, x IN vector | sum + x * x)) AS length
CALL db.index.vector.queryNodes($index, $near, vector) YIELD node, score
WHERE NOT node.id IN $exclude
      AND node.hidden IS NULL AND coalesce(node.expires_at > datetime(), true)
RETURN node.id AS id, (2 * score - 1) * length * coalesce(node.<length>, 1.0) AS score
ORDER BY score DESC, id
LIMIT $k
"""
SPARE = 100
"""Neighbours asked for beyond what is needed: hidden ones are among them."""


def list_near_published(
    graph: Graph, slot: str, keys: Sequence[str], k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items nearest to the published vector of the first of `keys` that has one."""
    return graph.read(
        render(LIST_NEAR_PUBLISHED, vector=f"vector_{slot}", length=f"vector_length_{slot}"),
        keys=list(keys),
        index=index_name("Item", slot),
        near=2 * k + len(exclude) + SPARE,
        exclude=list(exclude),
        k=k,
    )


LIST_SIMILAR_TO_ALL = """
UNWIND $weights AS pair
MATCH (:Item {id: pair[0]})-[s:<similar>]->(j:Item)
WHERE NOT j.id IN $exclude
      AND j.hidden IS NULL AND coalesce(j.expires_at > datetime(), true)
WITH j.id AS id, sum(pair[1] * s.weight) AS score
WHERE score > 0
RETURN id, score
ORDER BY score DESC, id
LIMIT $k
"""


def list_similar_to_all(
    graph: Graph, slot: str, weights: Mapping[str, float], k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items by the published item–item weights from all of `weights`' items together."""
    statement = render(LIST_SIMILAR_TO_ALL, similar=f"SIMILAR_{slot.upper()}")
    pairs = [list(pair) for pair in weights.items()]
    return graph.read(statement, weights=pairs, k=k, exclude=list(exclude))
