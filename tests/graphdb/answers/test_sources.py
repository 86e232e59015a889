"""Sources: read-only, checked before they are asked, bounded in rows and time."""

import pytest

from graphdb.answers.sources import SourceError, check_source, fetch_source
from graphdb.errors import PathlightError
from graphdb.exploration import ExplorationError
from graphdb.specs import SourceSpec


def source(cypher: str, **given) -> SourceSpec:
    return SourceSpec(cypher=cypher, **{"timeout_ms": 10_000} | given)


@pytest.mark.parametrize(
    ("cypher", "kind", "said"),
    [
        ("MATCH (n) DETACH DELETE n RETURN 'x' AS id", ExplorationError, "only reading"),
        ("LOAD CSV FROM 'file:///x' AS r RETURN r[0] AS id", ExplorationError, "LOAD CSV"),
        ("CALL dbms.listConfig() YIELD name RETURN name AS id", ExplorationError, "not allowed"),
        ("MATCH (i:Item RETURN i.id AS id", ExplorationError, "Neo4j refused"),
        ("RETURN 'x' AS item", SourceError, "returns item; expected a column id"),
        ("RETURN 1 AS id", SourceError, "holds what is no text"),
        ("UNWIND [1, 0] AS n RETURN toString(1 / n) AS id", SourceError, "Neo4j refused it"),
    ],
)
def test_a_source_that_must_not_be_asked_is_refused_with_the_reason(graph, cypher, kind, said):
    with pytest.raises(kind, match=said):
        check_source(graph, source(cypher))


def test_a_source_is_told_who_asks_and_is_cut_at_its_rows(graph):
    statement = "UNWIND [$person] + $recent + [toString($rows), 'a', 'b'] AS id RETURN id"
    check_source(graph, source(statement))

    assert fetch_source(graph, source(statement, rows=4), "ann", ["x", "a"]) == [
        *("ann", "x", "a"),
        "4",
    ]
    assert fetch_source(graph, source("UNWIND ['b', 'a', 'b'] AS id RETURN id"), "", []) == [
        "b",
        "a",
    ]


def test_a_source_beyond_its_time_is_ended_by_the_server(graph):
    slow = "UNWIND range(1, 40000) AS a UNWIND range(1, 40000) AS b WITH count(*) AS n "

    with pytest.raises(PathlightError):
        fetch_source(graph, source(slow + "RETURN toString(n) AS id", timeout_ms=50), "", [])
