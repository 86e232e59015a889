"""Candidates by what the graph knows: from the items that count for a person, and from people.

(:Item)-[:HAS_PERSON]->(:Person)<-[:HAS_PERSON]-(:Item)     knowledge: what few share, first
(:Item)-[:SEQUEL_OF]-(:Item)                                knowledge
(person)-[:FOLLOWS]->(:User)-[event]->(:Item)               social: what most of them chose, first

Only what the domain turns on is walked. Each walk is bounded whatever the degrees: what too many
items share says nothing. That an item was found through people tells of them, so that fewer than
the domain's least find nothing, whoever was joined to somebody counted as that person. What may be
shown, and what it scores, is not known here.
"""

from collections.abc import Sequence
from typing import LiteralString

from graphdb.connection import Graph
from graphdb.cypher import render, union
from graphdb.domain import Domain

ITEMS = 10
"""Items of a person's that walks begin at: the newest known first."""
SHARED_BY = 200
"""What more items share is passed over; of an item's links no more are followed."""
FRIENDS, EVENTS = 200, 20
"""People looked at, and what each of them chose: what came last into the graph."""
FOUND = 100
"""Candidates of a walk."""

LIST_KNOWN = """
UNWIND $items AS id
MATCH (i:Item {id: id})
CALL (i) {
  MATCH (i)-[:<walked>]->(n)
  RETURN DISTINCT n LIMIT $shared_by
}
WITH DISTINCT n, COUNT { (n)<-[:<walked>]-() } AS items
WHERE items <= $shared_by
MATCH (n)<-[:<walked>]-(j:Item)
WITH j, sum(1 / log(1 + items)) AS score
WHERE NOT j.id IN $items AND j.hidden IS NULL
ORDER BY score DESC, j.id LIMIT $found
RETURN 'knowledge' AS source, collect(j.id) AS ids
"""

LIST_LINKED = """
UNWIND $items AS id
MATCH (i:Item {id: id})
CALL (i) {
  MATCH (i)-[:<walked>]-(j:Item)
  RETURN DISTINCT j LIMIT $shared_by
}
WITH j, count(*) AS links
WHERE NOT j.id IN $items AND j.hidden IS NULL
ORDER BY links DESC, j.id LIMIT $found
RETURN 'knowledge' AS source, collect(j.id) AS ids
"""

LIST_CHOSEN = """
MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS person
CALL (person) {
  MATCH (person)-[:<social>]->(friend:User)
  WITH DISTINCT person, friend LIMIT $friends
  OPTIONAL MATCH (friend)-[:SAME_AS]->(known:User)
  WITH DISTINCT person, coalesce(known, friend) AS friend
  WHERE friend <> person
  RETURN friend
}
CALL (friend) {
  UNWIND [friend] + COLLECT { MATCH (s:User)-[:SAME_AS]->(friend) RETURN s } AS u
  MATCH (u)-[:<events>]->(j:Item)
  WITH j LIMIT $events
  RETURN DISTINCT j
}
WITH j, count(*) AS people
WHERE people >= $least AND j.hidden IS NULL
ORDER BY people DESC, j.id LIMIT $found
RETURN 'social' AS source, collect(j.id) AS ids
"""


def list_walked(
    graph: Graph, domain: Domain, user_id: str, items: Sequence[str]
) -> dict[str, list[str]]:
    """By source the items that walks from a person and the `items` that count for them lead to: one
    round trip, none where the domain walks nothing."""
    links = [n for n in domain.walks.knowledge if _between_items(domain, n)]
    shared = domain.relationships_of(set(domain.walks.knowledge).difference(links))
    social, events = domain.relationships_of(domain.walks.social), domain.positive_relationships
    parts: list[LiteralString] = []
    if shared:
        parts.append(render(LIST_KNOWN, walked=shared))
    if links:
        parts.append(render(LIST_LINKED, walked=domain.relationships_of(links)))
    if social and events:
        parts.append(render(LIST_CHOSEN, social=social, events=events))
    if not parts:
        return {}
    rows = graph.read(
        union(parts),
        user=user_id,
        items=list(items[:ITEMS]),
        shared_by=SHARED_BY,
        friends=FRIENDS,
        events=EVENTS,
        least=domain.social.least_people,
        found=FOUND,
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found[row["source"]] = [*dict.fromkeys([*found.get(row["source"], []), *row["ids"]])]
    return {source: ids for source, ids in found.items() if ids}


def _between_items(domain: Domain, name: str) -> bool:
    relation = domain.relations.get(name)
    return relation is not None and relation.to == "item"
