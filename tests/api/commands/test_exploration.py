"""The analyst's command: it reads, and only reads."""

import json

from tests.api.pathlight import Run, refused


def test_cypher_reads_and_says_when_it_was_cut(on_graph: Run, graph):
    done = on_graph("cypher", "MATCH (i:Item) RETURN i.title AS title ORDER BY title", "--limit=2")
    rows = json.loads(on_graph("cypher", "--json", "MATCH (u:User) RETURN count(u) AS n").stdout)

    assert done.stdout.splitlines() == ["title ", "Film 0", "Film 1"]
    assert "only the first 2 rows are shown" in done.stderr
    assert rows == [{"n": 12}]
    assert "this one writes" in refused(on_graph("cypher", "MATCH (n) DETACH DELETE n"))
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 12}]
