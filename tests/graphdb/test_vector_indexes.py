"""Vector indexes on a real server: ready when they say so, holding what was named, dropped."""

from graphdb.catalogue.catalogue import save_items
from graphdb.vector_indexes import (
    await_index,
    create_vector_index,
    drop_index,
    holds_fields,
    is_online,
    list_fields,
)
from tests.rows import item_row

INDEX = "probe_vector"
SET_VECTORS = "MATCH (i:Item) SET i.probe = [toFloat(i.id), 1.0]"
NEAREST = """
CALL db.index.vector.queryNodes($index, 3, [2.0, 1.0]) YIELD node, score
RETURN node.id AS id ORDER BY score DESC
"""


def test_what_was_awaited_can_be_asked_until_it_is_dropped(graph, domain):
    save_items(graph, domain, [item_row(str(n)) for n in range(5)])
    graph.write(SET_VECTORS)
    assert not is_online(graph, INDEX)

    create_vector_index(graph, INDEX, "Item", "probe", 2)

    assert await_index(graph, INDEX)
    assert is_online(graph, INDEX)
    assert [row["id"] for row in graph.read(NEAREST, index=INDEX)] == ["2", "3", "4"]
    create_vector_index(graph, INDEX, "Item", "probe", 2)
    drop_index(graph, INDEX)
    assert not is_online(graph, INDEX)
    drop_index(graph, INDEX)


def test_fields_are_held_beside_the_vectors_where_the_server_can(graph, domain, neo4j_version):
    save_items(graph, domain, [item_row("1", year=1999)])
    graph.write(SET_VECTORS)
    can = holds_fields(graph)

    create_vector_index(graph, INDEX, "Item", "probe", 2, fields=["year"] if can else [])

    assert can == neo4j_version.startswith("20")
    assert await_index(graph, INDEX)
    assert list_fields(graph, INDEX) == (frozenset({"year"}) if can else frozenset())
    assert list_fields(graph, "none") == frozenset()
    drop_index(graph, INDEX)
