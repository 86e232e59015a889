"""Each fault in what hangs together is counted by its check and by no other."""

import pytest

from graphdb.audit.links import link_checks
from graphdb.catalogue.relations import RelationRow, save_relations
from graphdb.domain import parse_domain
from graphdb.events.retraction import retract_event
from graphdb.people.erasure import erase_person
from graphdb.people.tombstones import person_mark, set_tombstone
from tests.graphdb.sound import DOMAIN, counted, fill_sound

MOVED = """
MATCH (u:User)-[r:RATED {event_id: 'p0 0 0 0'}]->(), (b:User {id: 'p1'})
WITH u, r, b, properties(r) AS p
DELETE r
CREATE (u)-[m:RATED]->(b)
SET m = p
"""
ERASING = """
MATCH (u:User {id: 'p1'})
CREATE (:Tombstone {id: 't'})-[:ERASES]->(u)
SET u = {key: u.key}
"""
FAULTS = [
    ("misplaced_events", MOVED, 1),
    (
        "dangling_relations",
        "MATCH (u:User {id: 'p0'}), (g:Genre {id: 'War'}) CREATE (u)-[:HAS_GENRE]->(g)",
        1,
    ),
    (
        "dangling_relations",
        "MATCH (u:User {id: 'p0'}), (i:Item {id: '1'})"
        " CREATE (u)-[:FOLLOWS]->(i), (i)-[:FOLLOWS]->(u)",
        2,
    ),
    ("dangling_relations", "MATCH (u:User {id: 'p0'}) CREATE (u)-[:FOLLOWS]->()", 1),
    ("orphan_attributes", "CREATE (:Genre {id: 'Opera'}), (:Country {id: 'Nowhere'})", 2),
    (
        "broken_joins",
        "MATCH (a:User {id: 'p1'}), (b:User {id: 'p2'}) CREATE (a)-[:SAME_AS]->(b)",
        1,
    ),
    (
        "broken_joins",
        "MATCH (a:User {id: 'anonymous:x'}), (b:User {id: 'p2'}) CREATE (a)-[:SAME_AS]->(b)",
        2,
    ),
    ("broken_joins", "MATCH (a:User {id: 'p4'}), (i:Item {id: '1'}) CREATE (a)-[:SAME_AS]->(i)", 1),
    ("broken_joins", ERASING, 1),
    ("source_counts", "MATCH (s:Source {id: 'api'}) SET s.events = s.events + 2", 2),
    ("source_counts", "MATCH ()-[r:RATED {event_id: 'p0 0 0 0'}]->() DELETE r", 1),
    ("source_counts", "MATCH ()-[r:RATED {event_id: 'p0 0 0 0'}]->() SET r.source = 'ghost'", 2),
    ("source_counts", "MATCH (s:Source) DELETE s", 105),
]


@pytest.mark.parametrize(("check", "fault", "count"), FAULTS)
def test_a_fault_is_counted_by_its_check_alone(graph, check, fault, count):
    fill_sound(graph)

    graph.write(fault)

    assert counted(graph) == {check: count}


def test_ends_of_relations_that_nobody_knows_are_counted(graph):
    fill_sound(graph)

    rows = [("follows", "p0", "nobody"), ("follows", "none", "p1"), ("sequel_of", "1", "bare")]
    rows = [RelationRow(type=t, start=a, end=b, weight=1.0) for t, a, b in rows]
    save_relations(graph, DOMAIN, [*rows, rows[0]])

    assert counted(graph) == {"empty_ends": 3}


def test_people_who_came_back_are_counted_and_named(graph):
    fill_sound(graph)

    graph.transaction(lambda tx: [set_tombstone(tx, person_mark(p)) for p in ("p3", "gone")])

    assert counted(graph) == {"returned_people": 1}
    check = next(c for c in link_checks(graph, DOMAIN) if c.name == "returned_people")
    assert check.parameters == {"ids": ["p3"]}


def test_erasing_and_retracting_leave_no_fault(graph):
    fill_sound(graph)

    erase_person(graph, "p1")
    retract_event(graph, DOMAIN, "rated", "p0 0 0 0")

    assert counted(graph) == {}


BARE = """
name = "bare"
[item]
label = "Thing"
[events.seen]
relationship = "SEEN"
"""


def test_a_domain_is_asked_only_for_what_it_has(graph):
    def names(domain):
        return {check.name for check in link_checks(graph, domain)}

    optional = {"dangling_relations", "orphan_attributes", "empty_ends"}
    assert names(DOMAIN) - names(parse_domain(BARE, "bare.toml")) == optional
