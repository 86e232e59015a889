"""People's own Cypher: reads only, bounded, and nothing from outside the graph."""

import pytest

from graphdb.events.events import save_events
from graphdb.exploration import ExplorationError, explore
from tests.rows import event_row

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE (n:X) RETURN n", "only reading"),
        ("MATCH (n) DETACH DELETE n", "only reading"),
        ("MATCH (n) SET n.a = 1 RETURN n", "only reading"),
        ("DROP INDEX x IF EXISTS", "only reading|refused"),
        ("LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row", "LOAD CSV"),
        ("load  csv from 'http://x' as row return row", "LOAD CSV"),
        ("CALL dbms.listConfig() YIELD name RETURN name", "CALL dbms.listConfig is not allowed"),
        ("CALL `dbms`.`listConfig`() YIELD name RETURN name", "is not allowed"),
        ("PROFILE MATCH (n) RETURN n", "EXPLAIN and PROFILE"),
        ("MATCH (n RETURN n", "Neo4j refused the statement"),
        ("MATCH (n) RETURN $missing", "Neo4j refused the statement"),
        ("", "Neo4j refused the statement"),
    ],
)
def test_what_is_not_a_plain_read_is_refused(graph, statement, said):
    with pytest.raises(ExplorationError, match=said):
        explore(graph, statement)
    assert graph.read("MATCH (n:X) RETURN count(n) AS n") == [{"n": 0}]


def test_words_in_strings_and_comments_are_no_commands(graph):
    table = explore(graph, "RETURN 'LOAD CSV; CALL x.y()' AS text // CALL a.b()")

    assert table.rows == [["LOAD CSV; CALL x.y()"]]


def test_rows_are_capped_and_said_to_be(graph):
    table = explore(graph, "UNWIND range(1, 100) AS n RETURN n", limit=7)

    assert (table.columns, len(table.rows), table.truncated) == (["n"], 7, True)
    assert not explore(graph, "RETURN 1 AS n", limit=1).truncated


def test_a_statement_that_takes_too_long_is_ended(graph):
    slow = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(a + b)"

    with pytest.raises(ExplorationError, match="Neo4j refused"):
        explore(graph, slow, timeout=0.5)


def test_nodes_relationships_and_times_come_back_as_json_would_have_them(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])

    row = explore(graph, "MATCH p = (u:User)-[r]->(i) RETURN u, r, r.at AS at, p").rows[0]

    assert row[0]["id"] == "ann"
    assert row[1]["type"] == "RATED"
    assert row[2].startswith("2026-01-01T12:00")
    assert [part.get("id", part.get("type")) for part in row[3]] == ["ann", "RATED", "1"]


def test_parameters_are_bound(graph):
    assert explore(graph, "RETURN $x AS x", {"x": "') RETURN 1 //"}).rows == [["') RETURN 1 //"]]
