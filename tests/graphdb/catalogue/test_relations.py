"""Relations: one relationship for each type and pair of ends, whatever is sent again."""

from concurrent.futures import ThreadPoolExecutor

from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.relations import RelationRow, delete_relation, save_relations
from graphdb.people.erasure import erase_person
from graphdb.schema import create_schema
from tests.related import RELATED
from tests.rows import item_row

EDGES = """
MATCH (a)-[r]->(b)
RETURN labels(a)[0] AS la, a.id AS a, type(r) AS type, r.weight AS w, labels(b)[0] AS lb, b.id AS b
"""


def relation(type: str, start: str, end: str, weight: float | None = None) -> RelationRow:
    return {"type": type, "start": start, "end": end, "weight": weight}


def edges(graph) -> set[tuple]:
    return {tuple(row.values()) for row in graph.read(EDGES)}


def test_every_kind_of_relation_is_saved_and_missing_ends_are_created(graph):
    create_schema(graph, RELATED)
    rows = [
        relation("follows", "ann", "bob", 0.5),
        relation("sequel_of", "aliens", "alien"),
        relation("set_in", "alien", "Space"),
        relation("likes_genre", "ann", "Horror", 2.0),
    ]

    assert save_relations(graph, RELATED, rows) == []
    assert save_relations(graph, RELATED, rows) == []

    assert edges(graph) == {
        ("User", "ann", "FOLLOWS", 0.5, "User", "bob"),
        ("Item", "aliens", "SEQUEL_OF", None, "Item", "alien"),
        ("Item", "alien", "SET_IN", None, "Country", "Space"),
        ("User", "ann", "LIKES_GENRE", 2.0, "Genre", "Horror"),
    }
    created = graph.read("MATCH (n) WHERE n:User OR n:Film RETURN n.id AS id, n.key AS key, n:Film")
    assert {row["id"] for row in created} == {"ann", "bob", "alien", "aliens"}
    assert all(row["key"] for row in created if row["id"] in ("ann", "bob"))


def test_a_relation_shares_the_attribute_node_of_the_catalogue(graph):
    save_items(graph, RELATED, [item_row("alien", genres=["Horror"])])

    save_relations(graph, RELATED, [relation("likes_genre", "ann", "Horror")])

    assert graph.read("MATCH (g:Genre) RETURN count(g) AS n") == [{"n": 1}]


def test_the_weight_is_the_last_one(graph):
    save_relations(graph, RELATED, [relation("follows", "ann", "bob", 0.5)])
    save_relations(graph, RELATED, [relation("follows", "ann", "bob")])

    assert edges(graph) == {("User", "ann", "FOLLOWS", None, "User", "bob")}


def test_a_relation_is_deleted_and_its_ends_stay(graph):
    save_relations(graph, RELATED, [relation("follows", "ann", "bob")])

    assert delete_relation(graph, RELATED, "follows", "ann", "bob")
    assert not delete_relation(graph, RELATED, "follows", "ann", "bob")
    assert not delete_relation(graph, RELATED, "follows", "bob", "nobody")

    assert edges(graph) == set()
    assert graph.read("MATCH (u:User) RETURN count(u) AS n") == [{"n": 2}]


def test_relations_of_an_erased_person_are_refused_and_the_others_kept(graph):
    erase_person(graph, "bob")
    rows = [
        relation("follows", "ann", "bob"),
        relation("sequel_of", "bob", "alien"),
        relation("likes_genre", "bob", "Horror"),
    ]

    assert save_relations(graph, RELATED, rows) == [0, 2]

    assert edges(graph) == {("Item", "bob", "SEQUEL_OF", None, "Item", "alien")}
    assert graph.read("MATCH (u:User) RETURN u.id AS id") == []


def test_the_same_relations_at_once_are_one_each(graph):
    rows = [relation("follows", f"u{n % 7}", f"u{(n + 1 + n // 7) % 9}") for n in range(40)]
    rows = [row for row in rows if row["start"] != row["end"]]

    with ThreadPoolExecutor(6) as pool:
        done = [pool.submit(save_relations, graph, RELATED, rows[n:] + rows[:n]) for n in range(6)]
        assert [job.result() for job in done] == [[]] * 6

    pairs = {(row["start"], row["end"]) for row in rows}
    assert {(a, b) for _, a, _, _, _, b in edges(graph)} == pairs
    assert graph.read("MATCH ()-[r:FOLLOWS]->() RETURN count(r) AS n") == [{"n": len(pairs)}]
