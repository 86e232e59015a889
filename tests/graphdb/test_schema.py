"""The schema: created twice without harm, and then kept by the server."""

import pytest
from neo4j.exceptions import ConstraintError

from graphdb.schema import create_schema
from tests.filtered import EVERY_KIND

CONSTRAINTS = "SHOW CONSTRAINTS YIELD name, labelsOrTypes, properties RETURN *"


def constraints(graph) -> set[tuple[str, ...]]:
    return {(*row["labelsOrTypes"], *row["properties"]) for row in graph.read(CONSTRAINTS)}


def test_creating_it_twice_changes_nothing(graph, domain):
    before = constraints(graph)

    create_schema(graph, domain)

    assert constraints(graph) == before
    assert before >= {
        ("User", "id"),
        ("User", "key"),
        ("Item", "id"),
        ("Source", "id"),
        ("ModelVersion", "id"),
        ("Serving", "id"),
        ("Job", "key"),
        ("ApiKey", "id"),
        ("RATED", "event_id"),
        ("WATCHED", "event_id"),
        ("DISMISSED", "event_id"),
        ("Genre", "id"),
        ("Person", "id"),
        ("Country", "id"),
    }


INDEXES = """
SHOW RANGE INDEXES YIELD name, state, labelsOrTypes, properties, owningConstraint
WHERE owningConstraint IS NULL AND labelsOrTypes = ['Item']
RETURN properties[0] AS field, state
"""


def test_what_may_be_compared_is_indexed_also_in_a_graph_that_was_there_before(graph, domain):
    for row in graph.read("SHOW RANGE INDEXES YIELD name WHERE name STARTS WITH 'item_field'"):
        graph.define("DROP INDEX " + row["name"])
    graph.write("CREATE (:Item {id: 'old', released: '1990', price: 1.5})")

    for _ in range(2):
        create_schema(graph, EVERY_KIND)

    found = {row["field"]: row["state"] for row in graph.read(INDEXES)}
    assert found.keys() == {"released", "year", "price", "new"}
    assert set(found.values()) == {"ONLINE"}


TIMES = """
SHOW RANGE INDEXES YIELD state, entityType, labelsOrTypes, properties
WHERE entityType = 'RELATIONSHIP' AND properties = ['at']
RETURN labelsOrTypes[0] AS type, state
"""


def test_what_speaks_for_an_item_is_indexed_by_its_time(graph, domain):
    found = {row["type"]: row["state"] for row in graph.read(TIMES)}

    assert found.keys() >= {"RATED", "WATCHED"}
    assert "DISMISSED" not in found
    assert set(found.values()) == {"ONLINE"}


def test_a_value_that_no_index_holds_stops_neither_the_schema_nor_later_writes(graph):
    graph.define("DROP INDEX item_field_released IF EXISTS")
    graph.write("CREATE (:Item {id: 'long', released: $text})", text="x" * 20_000)

    for _ in range(2):
        create_schema(graph, EVERY_KIND)

    graph.write("CREATE (:Item {id: 'short', released: '1990'})")
    graph.define("DROP INDEX item_field_released")


def test_a_second_node_or_event_of_the_same_id_is_refused(graph):
    graph.write("CREATE (:User {id: 'ann'})-[:RATED {event_id: 'e'}]->(:Item {id: 'x'})")

    for statement in (
        "CREATE (:User {id: 'ann'})",
        "MATCH (u:User), (i:Item) CREATE (u)-[:RATED {event_id: 'e'}]->(i)",
    ):
        with pytest.raises(ConstraintError):
            graph.write(statement)
    graph.write("MATCH (u:User), (i:Item) CREATE (u)-[:WATCHED {event_id: 'e'}]->(i)")
