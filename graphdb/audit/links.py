"""Checks of what hangs together: ends of relationships, joined and erased people, counts.

What leads somewhere else than the domain says is counted relationship by relationship, what nothing
leads to node by node.
"""

from graphdb.audit.checks import Check
from graphdb.catalogue.entries import LIST_IDS
from graphdb.connection import Graph
from graphdb.cypher import render
from graphdb.domain import Domain
from graphdb.people.tombstones import COUNT_TOMBSTONES, are_erased

PAGE = 10_000


def link_checks(graph: Graph, domain: Domain) -> list[Check]:
    """Ends, orphans, joins, counts and people who came back."""
    return [
        misplaced_events(domain),
        *dangling_relations(domain),
        *orphan_attributes(domain),
        *empty_ends(domain),
        broken_joins(),
        source_counts(domain),
        returned_people(graph),
    ]


MISPLACED_EVENTS = """
MATCH (a)-[r:<types>]->(b)
WITH CASE WHEN NOT a:User OR NOT b:Item
     THEN type(r) + " " + coalesce(toStringOrNull(r.event_id), elementId(r)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def misplaced_events(domain: Domain) -> Check:
    return Check(
        "misplaced_events",
        "events that do not lead from a User to an Item",
        render(MISPLACED_EVENTS, types=domain.event_relationships),
    )


DANGLING_RELATIONS = """
MATCH (a)-[r:<types>]->(b)
WITH CASE WHEN none(ends IN $ends[type(r)] WHERE ends[0] IN labels(a) AND ends[1] IN labels(b))
     THEN type(r) + " " + coalesce(toStringOrNull(a.id), elementId(a))
          + " " + coalesce(toStringOrNull(b.id), elementId(b)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def dangling_relations(domain: Domain) -> list[Check]:
    """Empty for a domain without attributes and relations."""
    ends: dict[str, list[list[str]]] = {}
    for owner, fields in (("Item", domain.item.fields), ("User", domain.user.fields)):
        for spec in fields.values():
            if spec.node:
                ends.setdefault(spec.node.relationship, []).append([owner, spec.node.label])
    for spec in domain.relations.values():
        ends[spec.relationship] = [[domain.nodes[spec.from_], domain.nodes[spec.to]]]
    if not ends:
        return []
    statement = render(DANGLING_RELATIONS, types=ends)
    counts = "attributes and relations that join other kinds of nodes than the domain says"
    return [Check("dangling_relations", counts, statement, {"ends": ends})]


ORPHAN_ATTRIBUTES = """
MATCH (a:<label>)
WITH CASE WHEN NOT EXISTS { ()-[:<relationship>]->(a) }
     THEN head(labels(a)) + " " + coalesce(toStringOrNull(a.id), elementId(a)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def orphan_attributes(domain: Domain) -> list[Check]:
    """Empty for a domain without attribute nodes."""
    labels = domain.attribute_labels
    if not labels:
        return []
    to_attributes = [s.relationship for s in domain.relations.values() if s.to not in OWN_ENDS]
    types = [*domain.attribute_relationships, *to_attributes]
    statement = render(ORPHAN_ATTRIBUTES, label=labels, relationship=types)
    counts = f"{', '.join(labels)} nodes that no item and no user names"
    return [Check("orphan_attributes", counts, statement)]


OWN_ENDS = ("user", "item")

# Whoever publishes may have given them a vector; what a person put in the catalogue is the rest.
EMPTY_ENDS = """
MATCH (a)-[:<relationship>]->(b)
UNWIND [a, b] AS n
WITH DISTINCT n
WHERE n:User OR n:Item
WITH CASE WHEN none(name IN keys(n) WHERE NOT name IN ["id", "key", "created_at"]
                                       AND NOT name STARTS WITH "vector_")
            AND NOT EXISTS { (n)-[:<types>]-() }
     THEN coalesce(toStringOrNull(n.id), elementId(n)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def empty_ends(domain: Domain) -> list[Check]:
    """Empty for a domain without relations."""
    related = [spec.relationship for spec in domain.relations.values()]
    if not related:
        return []
    types = [*domain.event_relationships, *domain.attribute_relationships]
    statement = render(EMPTY_ENDS, relationship=related, types=types)
    counts = "users and items of relations of whom nothing but an id ever came"
    return [Check("empty_ends", counts, statement)]


# Whoever is joined to somebody being erased is being erased too, and has lost the id.
BROKEN_JOINS = """
MATCH (source)-[r:SAME_AS]->(known)
WITH CASE WHEN NOT source:User OR NOT known:User
            OR (source.id IS NOT NULL AND known.id IS NULL)
            OR EXISTS { (known)-[:SAME_AS]->() } OR COUNT { (source)-[:SAME_AS]->() } > 1
     THEN coalesce(toStringOrNull(source.id), elementId(source)) END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def broken_joins() -> Check:
    counts = "SAME_AS of more than one hop, to more than one person, or to somebody erased"
    return Check("broken_joins", counts, BROKEN_JOINS)


# Beside writers the count lies between what the sources said before and after it.
SOURCE_COUNTS = """
MATCH (s:Source)
WITH collect({id: s.id, events: s.events, removed: coalesce(s.removed, 0)}) AS before
CALL () {
  MATCH ()-[r:<types>]->()
  WITH r.source AS source, count(*) AS found
  RETURN collect({id: source, found: found}) AS counted
}
CALL () {
  MATCH (s:Source)
  RETURN collect({id: s.id, events: s.events, removed: coalesce(s.removed, 0)}) AS after
}
WITH before, counted, after,
     [c IN counted WHERE c.id IS NOT NULL AND NOT c.id IN [s IN after | s.id] | c.id] AS unknown
UNWIND [s IN after | s.id] + unknown AS id
WITH id, coalesce(head([c IN counted WHERE c.id = id | c.found]), 0) AS found,
     coalesce(head([s IN before WHERE s.id = id]), {events: 0, removed: 0}) AS was,
     coalesce(head([s IN after WHERE s.id = id]), {events: 0, removed: 0}) AS is
WITH id, found, is.events AS events, was.events - (is.removed - was.removed) AS least,
     is.events + (is.removed - was.removed) AS most
WITH id, events, CASE WHEN found < least THEN least - found
                      WHEN found > most THEN found - most ELSE 0 END AS off
WITH events, off, CASE WHEN off > 0 THEN toStringOrNull(id) END AS faulty
RETURN sum(off) AS count, sum(events) AS of, [min(faulty), max(faulty)] AS examples
"""


def source_counts(domain: Domain) -> Check:
    return Check(
        "source_counts",
        "events that are there and not counted on their Source, or counted and not there",
        render(SOURCE_COUNTS, types=domain.event_relationships),
    )


RETURNED_PEOPLE = """
MATCH (u:User)
WITH CASE WHEN u.id IN $ids THEN u.id END AS faulty
RETURN count(faulty) AS count, count(*) AS of, [min(faulty), max(faulty)] AS examples
"""


def returned_people(graph: Graph) -> Check:
    """Reads all ids where there are tombstones: Cypher cannot hash."""
    counts = "people who are there although they were erased"
    return Check("returned_people", counts, RETURNED_PEOPLE, {"ids": _returned(graph)})


def _returned(graph: Graph) -> list[str]:
    found: list[str] = []
    if not graph.read(COUNT_TOMBSTONES)[0]["tombstones"]:
        return found
    statement, after = render(LIST_IDS, label="User"), ""
    while rows := graph.read(statement, after=after, limit=PAGE):
        ids = [row["id"] for row in rows]
        found += sorted(are_erased(graph, ids))
        after = ids[-1]
    return found
