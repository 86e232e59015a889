"""The schema: created twice without harm, and then kept by the server."""

import pytest
from neo4j.exceptions import ConstraintError

from graphdb.schema import create_schema

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


def test_a_second_node_or_event_of_the_same_id_is_refused(graph):
    graph.write("CREATE (:User {id: 'ann'})-[:RATED {event_id: 'e'}]->(:Item {id: 'x'})")

    for statement in (
        "CREATE (:User {id: 'ann'})",
        "MATCH (u:User), (i:Item) CREATE (u)-[:RATED {event_id: 'e'}]->(i)",
    ):
        with pytest.raises(ConstraintError):
            graph.write(statement)
    graph.write("MATCH (u:User), (i:Item) CREATE (u)-[:WATCHED {event_id: 'e'}]->(i)")
