"""What is like what beyond the version's item–item weights: by shared knowledge, by vector.

(:Item)-[:HAS_GENRE]->(:Genre)<-[:HAS_GENRE]-(:Item)      (:Item)-[:SEQUEL_OF]-(:Item)
"""

from collections.abc import Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.versions.slots import index_name

# What few share says more: a director's films are more alike than a country's.
LIST_SIMILAR_BY_KNOWLEDGE = """
MATCH (i:Item {id: $item})
CALL (i) {
  MATCH (i)-[:<things>]-(j:Item)
  RETURN DISTINCT j, 1.0 AS score LIMIT $most
  UNION ALL
  MATCH (i)-[:<things>]->(n)
  WHERE NOT n:Item
  WITH DISTINCT i, n LIMIT $nodes
  CALL (i, n) {
    MATCH (n)<-[:<things>]-(j:Item)
    WHERE j <> i
    RETURN DISTINCT j LIMIT $most
  }
  RETURN j, 1 / log(2 + COUNT { (n)<-[:<things>]-() }) AS score
}
WITH i, j, sum(score) AS score
WHERE j <> i AND NOT j.id IN $exclude
      AND j.hidden IS NULL AND coalesce(j.expires_at > datetime(), true)
RETURN j.id AS id, score
ORDER BY score DESC, id
LIMIT $k
"""
NODES, MOST = 50, 5_000


def list_similar_by_knowledge(
    graph: Graph, domain: Domain, item_id: str, k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items by the attributes that they share and their relations: rows `{"id", "score"}`; of an
    attribute of very many items a part is looked at."""
    things = domain.relationships_from("item")
    if not things:
        return []
    statement = render(LIST_SIMILAR_BY_KNOWLEDGE, things=things)
    return graph.read(statement, item=item_id, k=k, exclude=list(exclude), nodes=NODES, most=MOST)


# Who was joined to somebody is that person, and is there once.
LIST_PEERS = """
MATCH (v:ModelVersion {id: $version})
WHERE v.state IN ['serving', 'standby']
CALL (v) {
  CALL db.index.vector.queryNodes($index, $near, $vector) YIELD node, score
  OPTIONAL MATCH (node)-[:SAME_AS]->(known:User)
  WITH coalesce(known, node) AS peer, max(score) AS likeness
  WHERE NOT peer.key IN $keys
  WITH peer.id AS id, 2 * likeness - 1 AS score
  ORDER BY score DESC, id
  LIMIT $k
  RETURN collect({id: id, score: score}) AS peers
}
RETURN peers
"""


def list_peers(
    graph: Graph, version: str, slot: str, vector: Sequence[float], keys: Sequence[str], k: int
) -> list[dict[str, Any]] | None:
    """People by the cosine of their published vectors with `vector`, without those of `keys`: rows
    `{"id", "score"}`. None when the version's slot is gone."""
    rows = graph.read(
        LIST_PEERS,
        version=version,
        index=index_name("User", slot),
        near=2 * k + len(keys),
        vector=list(vector),
        keys=list(keys),
        k=k,
    )
    return rows[0]["peers"] if rows else None
