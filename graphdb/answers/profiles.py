"""Items for somebody without events, from what else the graph says of them.

(person)-[own]->(:Genre)<-[:HAS_GENRE]-(:Item)          what they say they like
(person)-[own]->(:Country)<-[own]-(:User)-[event]->(:Item)  what people alike choose
(person)-[own]->(:User)-[event]->(:Item)                what those they follow choose
"""

from collections.abc import Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain

# The bounds make it an answer's query whoever lives in the person's country: a sample will do.
LIST_BY_PROFILE = """
MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS person
CALL (person) {
  MATCH (person)-[:<own>]->(n)
  WITH n LIMIT $nodes
  MATCH (n)<-[:<things>]-(i:Item)
  WITH n, i LIMIT $most
  RETURN i, toFloat(count(DISTINCT n)) AS score
  UNION ALL
  MATCH (person)-[:<own>]->(n)
  WITH person, n LIMIT $nodes
  UNWIND CASE WHEN n:User THEN [n] ELSE COLLECT {
    MATCH (n)<-[:<own>]-(peer:User)
    WHERE peer <> person
    RETURN peer LIMIT $peers
  } END AS peer
  WITH collect(DISTINCT peer)[..$peers] AS peers
  UNWIND peers AS peer
  MATCH (peer)-[:<events>]->(i:Item)
  WITH size(peers) AS among, peer, i LIMIT $most
  WITH among, i, count(DISTINCT peer) AS chosen
  RETURN i, toFloat(chosen) / among AS score
}
WITH i, sum(score) AS score
WHERE NOT i.id IN $exclude
      AND i.hidden IS NULL AND coalesce(i.expires_at > datetime(), true)
RETURN i.id AS id, score
ORDER BY score DESC, id
LIMIT $k
"""
NODES, PEERS, MOST = 50, 200, 20_000


def list_by_profile(
    graph: Graph, domain: Domain, user_id: str, k: int, exclude: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Items by how many of the person's own links they share, and the share of the people alike
    who chose them: rows `{"id", "score"}`."""
    against = {spec.relationship for spec in domain.relations.values() if spec.negative}
    own = [kind for kind in domain.relationships_from("user") if kind not in against]
    events = domain.positive_relationships
    if not own or not events:
        return []
    things = domain.relationships_from("item") or own
    return graph.read(
        render(LIST_BY_PROFILE, own=own, things=things, events=events),
        user=user_id,
        exclude=list(exclude),
        nodes=NODES,
        peers=PEERS,
        most=MOST,
        k=k,
    )
