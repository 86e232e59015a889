"""What ties one item to another, and an item to whom a person follows: told beside a score, never
counted in it.

(:Item)-[:HAS_PERSON]->(:Person)<-[:HAS_PERSON]-(:Item)    they share it: the rarest first
(:Item)-[:SEQUEL_OF]-(:Item)                               they are related
(:Item)<-[event]-(:User)-[event]->(:Item)                  the same people choose them
(person)-[:FOLLOWS]->(:User)-[event]->(:Item)              people whom they follow chose it
(:Item)-[:SIMILAR_A {weight}]->(:Item)                     a version's weight

Of other people only numbers are told, none of fewer than the domain's least, and ids only where it
says so. Whoever was joined to somebody is that person, and counts once. Each looks at a bounded
part of the graph, whatever the degrees.
"""

from collections.abc import Sequence
from typing import Any

from graphdb.connection import Graph
from graphdb.cypher import render, union
from graphdb.domain import Domain

KINDS = ("relation", "shared", "together", "social", "similar")
"""Kinds of ties, in the order in which they are told."""
SHARED, NAMED = 3, 3
"""Told at most: what two items share, and ids of people."""
LINKS = 200
"""Of an item's links so many are looked at."""
PEOPLE, PAIRS_OF_PEOPLE = (10, 100), 1_000
"""People looked at for a pair of items, from and to; for all pairs together."""
CHOICES = 5_000
"""Events on an item looked at for them: many may be one person's."""
FRIENDS, PAIRS_OF_FRIENDS = (20, 500), 5_000
"""People that a person follows looked at for an item, from and to; for all items together."""

LIST_RELATIONS = """
UNWIND $pairs AS pair
MATCH (a:Item {id: pair[0]})
MATCH (b:Item {id: pair[1]})
MATCH (a)-[r:<things>]-(b)
RETURN pair[0] AS start, pair[1] AS item,
       {kind: 'relation', type: type(r), from: startNode(r).id, to: endNode(r).id} AS tie
"""

LIST_SHARED = """
UNWIND $pairs AS pair
MATCH (a:Item {id: pair[0]})
MATCH (b:Item {id: pair[1]})
CALL (a, b) {
  MATCH (a)-[r:<things>]->(n)
  WITH b, type(r) AS type, n LIMIT $links
  MATCH (n)<-[s:<things>]-(b)
  WHERE type(s) = type
  WITH DISTINCT type, n
  WITH type, n, COUNT { (n)<-[:<things>]-() } AS items
  ORDER BY items, n.id LIMIT $shared
  RETURN {kind: 'shared', type: type, id: n.id, items: items} AS tie
}
RETURN pair[0] AS start, pair[1] AS item, tie
"""

# A part of those who chose the first: as many as an answer has time for. Each is a list: a person,
# then whoever was joined to them. Nobody in `mine` is null, which nothing would be unlike.
LIST_TOGETHER = """
OPTIONAL MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS one
WITH [u IN [one] + COLLECT { MATCH (s:User)-[:SAME_AS]->(one) RETURN s }
      WHERE u IS NOT NULL] AS mine
UNWIND $pairs AS pair
WITH mine, pair[0] AS start, collect(pair[1]) AS items
MATCH (a:Item {id: start})
CALL (a, mine) {
  MATCH (a)<-[:<events>]-(u:User)
  WHERE NOT u IN mine
  WITH u LIMIT $choices
  WITH DISTINCT u LIMIT $people
  OPTIONAL MATCH (u)-[:SAME_AS]->(known:User)
  WITH DISTINCT coalesce(known, u) AS person
  RETURN collect([person] + COLLECT { MATCH (s:User)-[:SAME_AS]->(person) RETURN s }) AS chose
}
UNWIND items AS item
MATCH (b:Item {id: item})
CALL (chose, b) {
  UNWIND chose AS members
  UNWIND members AS u
  MATCH (u)-[:<events>]->(b)
  RETURN count(DISTINCT members[0]) AS people
}
WITH start, item, people, size(chose) AS of
WHERE people >= $least
RETURN start, item, {kind: 'together', people: people, of: of} AS tie
"""

LIST_SOCIAL = """
MATCH (asked:User {id: $user})
OPTIONAL MATCH (asked)-[:SAME_AS]->(known:User)
WITH coalesce(known, asked) AS person
CALL (person) {
  MATCH (person)-[r:<social>]->(friend:User)
  WITH DISTINCT type(r) AS type, friend LIMIT $friends
  OPTIONAL MATCH (friend)-[:SAME_AS]->(known:User)
  WITH DISTINCT type, person, coalesce(known, friend) AS friend
  WHERE friend <> person
  RETURN type, collect([friend] + COLLECT { MATCH (s:User)-[:SAME_AS]->(friend) RETURN s })
         AS friends
}
UNWIND $items AS item
MATCH (b:Item {id: item})
CALL (friends, b) {
  UNWIND friends AS members
  UNWIND members AS u
  MATCH (u)-[:<events>]->(b)
  WITH DISTINCT members[0] AS friend ORDER BY friend.id
  RETURN collect(friend.id) AS ids
}
WITH item, type, size(friends) AS of, ids
WHERE size(ids) >= $least
RETURN null AS start, item,
       {kind: 'social', type: type, people: size(ids), of: of,
        ids: CASE WHEN $names THEN ids[..$named] END} AS tie
"""

LIST_WEIGHTS = """
UNWIND $pairs AS pair
MATCH (a:Item {id: pair[0]})
MATCH (b:Item {id: pair[1]})
MATCH (a)-[s:<similar>]->(b)
RETURN pair[0] AS start, pair[1] AS item, {kind: 'similar', weight: s.weight} AS tie
"""

Pair = tuple[str | None, str]


def list_ties(
    graph: Graph,
    domain: Domain,
    slot: str,
    user_id: str,
    pairs: Sequence[tuple[str, str]],
    items: Sequence[str],
    *,
    knowledge: bool,
) -> dict[Pair, list[dict[str, Any]]]:
    """By pair of items their ties; at (None, item) those of an item of `items` to the person.

    slot: of the version whose weights are told; knowledge: whether all else is, too. One round
    trip.
    """
    things = domain.relationships_from("item")
    events = domain.positive_relationships
    social = domain.relationships_of(domain.social.relations)
    parts = [render(LIST_WEIGHTS, similar=f"SIMILAR_{slot.upper()}")]
    if knowledge and things:
        parts += [render(part, things=things) for part in (LIST_RELATIONS, LIST_SHARED)]
    if knowledge and events:
        parts.append(render(LIST_TOGETHER, events=events))
    if knowledge and events and social:
        parts.append(render(LIST_SOCIAL, events=events, social=social))
    rows = graph.read(
        union(parts),
        user=user_id,
        pairs=[list(pair) for pair in pairs],
        items=list(items),
        least=domain.social.least_people,
        names=domain.social.names,
        people=_share(PAIRS_OF_PEOPLE, len(pairs), *PEOPLE),
        friends=_share(PAIRS_OF_FRIENDS, len(items), *FRIENDS),
        choices=CHOICES,
        links=LINKS,
        shared=SHARED,
        named=NAMED,
    )
    ties: dict[Pair, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=_order):
        ties.setdefault((row["start"], row["item"]), []).append(_told(domain, row["tie"]))
    return ties


def _share(together: int, among: int, least: int, most: int) -> int:
    return max(least, min(most, together // max(among, 1)))


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    tie = row["tie"]
    return KINDS.index(tie["kind"]), tie.get("items", 0), tie.get("type", ""), tie.get("id", "")


def _told(domain: Domain, tie: dict[str, Any]) -> dict[str, Any]:
    """What there is of a tie, with the domain's name for its relationship."""
    told = {name: value for name, value in tie.items() if value is not None and name != "type"}
    return told | ({"by": domain.knowledge_names[tie["type"]]} if "type" in tie else {})
