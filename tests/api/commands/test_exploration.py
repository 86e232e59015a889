"""The analyst's commands: they read, and only read."""

import json

from api.answers.answer import Query
from tests.api.pathlight import Run, refused


def test_cypher_reads_and_says_when_it_was_cut(on_graph: Run, graph):
    done = on_graph("cypher", "MATCH (i:Item) RETURN i.title AS title ORDER BY title", "--limit=2")
    rows = json.loads(on_graph("cypher", "--json", "MATCH (u:User) RETURN count(u) AS n").stdout)

    assert done.stdout.splitlines() == ["title ", "Film 0", "Film 1"]
    assert "only the first 2 rows are shown" in done.stderr
    assert rows == [{"n": 12}]
    assert "this one writes" in refused(on_graph("cypher", "MATCH (n) DETACH DELETE n"))
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 12}]


def test_the_cypher_of_a_reason_returns_exactly_its_path(on_graph: Run, recommender):
    told = frozenset({"paths", "cypher"})
    [item] = recommender.recommend(Query("p4", k=1, reasons=1, told=told)).items
    path, asked = item.reasons[0].path, item.reasons[0].cypher
    given = f"--parameters={json.dumps(asked['parameters'])}"

    done = on_graph("cypher", "--json", asked["statement"], given)

    nodes, relationships = path["nodes"], path["relationships"]
    assert json.loads(done.stdout) == [{"nodes": nodes, "relationships": relationships}]
    assert "expected a JSON object" in refused(on_graph("cypher", "RETURN $n", "--parameters=[1]"))


def test_an_audit_shows_counts_and_queries_that_count_the_same(on_graph: Run, graph):
    sound = on_graph("audit")
    graph.write("MATCH (i:Item {id: '3'}) SET i.year = 'late'")
    failed = on_graph("audit", "--json")

    assert sound.returncode == 0
    table = sound.stdout.rpartition("\n\n")[2].splitlines()
    assert table[0].split()[:6] == ["check", "count", "of", "share", "threshold", "verdict"]
    assert len(table) > 15 and all(" ok " in line for line in table[1:])
    assert "// wrong_item_types: Item nodes with a property of another type" in sound.stdout

    assert failed.returncode == 1
    assert failed.stderr.splitlines() == [
        "pathlight: the audit fails: wrong_item_types counts 1 of 40 (2.5 %), 0 % may be"
    ]
    (wrong,) = [row for row in json.loads(failed.stdout) if not row["passed"]]
    assert (wrong["check"], wrong["count"], wrong["of"]) == ("wrong_item_types", 1, 40)
    assert wrong["examples"] == ["3"]
    asked = on_graph("cypher", "--json", wrong["query"])
    assert json.loads(asked.stdout) == [{"count": 1, "of": 40, "examples": ["3", "3"]}]
    assert wrong["query"] in on_graph("audit").stdout
