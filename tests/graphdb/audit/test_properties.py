"""Each fault in what stands on nodes and relationships is counted by its check and by no other."""

import pytest

from tests.graphdb.sound import counted, fill_sound

EVENT = "MATCH ()-[r:RATED {event_id: 'p0 0 0 0'}]->() "
OTHERS = "MATCH ()-[r:RATED]->() WHERE r.event_id STARTS WITH 'p2 ' "
FAULTS = [
    ("missing_event_properties", EVENT + "REMOVE r.digest", 1),
    ("missing_event_properties", OTHERS + "REMOVE r.event_id", 6),
    ("missing_user_properties", "MATCH (u:User {id: 'lurker'}) REMOVE u.key", 1),
    ("missing_user_properties", "MATCH (u:User {id: 'lurker'}) REMOVE u.id", 1),
    ("missing_item_properties", "MATCH (i:Item {id: '3'}) REMOVE i:Film", 1),
    ("missing_item_properties", "MATCH (i:Item {id: '3'}) REMOVE i.id", 1),
    ("wrong_event_types", EVENT + "SET r.value = 'four'", 1),
    ("wrong_event_types", EVENT + "SET r.value = 0.0 / 0.0", 1),
    ("wrong_event_types", OTHERS + "SET r.at = toString(r.at)", 6),
    ("wrong_event_types", OTHERS + "SET r.received_at = 1.5", 6),
    ("wrong_event_types", EVENT + "SET r.impressions = [1, 2]", 1),
    ("wrong_user_types", "MATCH (u:User {id: 'p4'}) SET u.age = 'old'", 1),
    ("wrong_user_types", "MATCH (u:User {id: 'p4'}) SET u.recent_events = [0.5]", 1),
    ("wrong_item_types", "MATCH (i:Item) WHERE i.id < '2' SET i.year = 19.5", 12),
    ("wrong_item_types", "MATCH (i:Item {id: '3'}) SET i.title = ['a', 'b']", 1),
    ("wrong_item_types", "MATCH (i:Item {id: '3'}) SET i.expires_at = date()", 1),
    ("wrong_attribute_types", "MATCH (g:Genre {id: 'War'}) SET g.id = 7", 1),
    ("wrong_vectors", "MATCH (i:Item {id: '3'}) SET i.vector_a = [0.5, 0.5]", 1),
    ("wrong_vectors", "MATCH (u:User {id: 'p4'}) SET u.vector_a = ['a', 'b', 'c', 'd']", 1),
    ("wrong_vectors", "MATCH (u:User {id: 'p4'}) SET u.vector_a = 4", 1),
    ("future_times", EVENT + "SET r.at = r.received_at + duration({minutes: 6})", 1),
    ("future_times", EVENT + "SET r.received_at = datetime() + duration({hours: 1})", 1),
]
HARMLESS = [
    EVENT + "SET r.value = 4",
    EVENT + "SET r.at = r.received_at + duration({minutes: 5})",
    EVENT + "SET r.mine = [1]",
    "MATCH (u:User {id: 'p4'}) SET u.recent_events = [], u.mine = point({x: 1, y: 2})",
    "MATCH (u:User {id: 'p4'}) SET u.vector_b = [0.5]",
    "MATCH (u:User {id: 'lurker'}) CREATE (:Tombstone {id: 't'})-[:ERASES]->(u) REMOVE u.id",
]


@pytest.mark.parametrize(("check", "fault", "count"), FAULTS)
def test_a_fault_is_counted_by_its_check_alone(graph, check, fault, count):
    fill_sound(graph)

    graph.write(fault)

    assert counted(graph) == {check: count}


def test_what_is_no_fault_is_not_counted(graph):
    fill_sound(graph)

    for statement in HARMLESS:
        graph.write(statement)

    assert counted(graph) == {}
