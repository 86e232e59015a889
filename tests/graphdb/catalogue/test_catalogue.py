"""The catalogue: saved whole, attribute nodes shared, texts encoded again only when changed."""

from concurrent.futures import ThreadPoolExecutor

from graphdb.catalogue.catalogue import (
    count_unencoded,
    list_unencoded,
    patch_item,
    patch_user,
    save_items,
    save_text_vectors,
    save_users,
)
from graphdb.catalogue.entries import fetch_item, fetch_user
from graphdb.events.events import save_events
from tests.rows import NOON, event_row, item_row

ATTRIBUTES = """
MATCH (i:Item)-[r]->(a) WHERE NOT a:Item
RETURN i.id AS item, type(r) AS type, labels(a)[0] AS label, a.id AS id
"""
ITEM = "MATCH (i:Item {id: $id}) RETURN i {.*} AS i, labels(i) AS labels"


def attributes(graph):
    return {tuple(row.values()) for row in graph.read(ATTRIBUTES)}


def test_fields_become_properties_or_shared_nodes(graph, domain):
    rows = [
        item_row("1", title="Kolya", year=1996, genres=["Comedy", "Drama"]),
        item_row("2", title="Ran", genres=["Drama"], countries=["Japan"]),
    ]

    save_items(graph, domain, rows)
    save_items(graph, domain, rows)

    found = graph.read(ITEM, id="1")[0]
    assert set(found["labels"]) == {"Item", "Film"}
    assert (found["i"]["title"], found["i"]["year"]) == ("Kolya", 1996)
    assert "genres" not in found["i"]
    assert attributes(graph) == {
        ("1", "HAS_GENRE", "Genre", "Comedy"),
        ("1", "HAS_GENRE", "Genre", "Drama"),
        ("2", "HAS_GENRE", "Genre", "Drama"),
        ("2", "FROM_COUNTRY", "Country", "Japan"),
    }


def test_saving_replaces_fields_and_attributes_but_not_events(graph, domain):
    save_items(
        graph, domain, [item_row("1", title="Old", year=1990, genres=["Drama"], people=["A"])]
    )
    save_events(graph, domain, "api", [event_row("ann", "1")])

    save_items(graph, domain, [item_row("1", hidden=True, title="New", genres=["Comedy"])])

    item = graph.read(ITEM, id="1")[0]["i"]
    assert (item["title"], item["hidden"]) == ("New", True)
    assert "year" not in item
    assert attributes(graph) == {("1", "HAS_GENRE", "Genre", "Comedy")}
    assert graph.read("MATCH (:User)-[r:RATED]->(:Item) RETURN count(r) AS n") == [{"n": 1}]


def test_an_item_is_shown_again_when_saved_without_hidden(graph, domain):
    save_items(graph, domain, [item_row("1", hidden=True)])
    save_items(graph, domain, [item_row("1")])

    assert "hidden" not in graph.read(ITEM, id="1")[0]["i"]


def test_users_keep_their_key(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])
    person = "MATCH (u:User {id: 'ann'}) RETURN u.key AS key, u.age AS age"
    key = graph.read(person)[0]["key"]

    save_users(graph, domain, [{"id": "ann", "fields": {"age": 41}}])

    assert graph.read(person) == [{"key": key, "age": 41}]
    assert key != "ann"


def test_only_texts_that_changed_wait_for_a_vector(graph, domain):
    save_items(graph, domain, [item_row("1", title="Kolya"), item_row("2", title="Ran")])
    waiting = {row["id"]: row for row in list_unencoded(graph, "e1", 10)}
    assert set(waiting) == {"1", "2"}

    vectors = [
        {"id": i, "digest": row["digest"], "vector": [1.0, 0.0]} for i, row in waiting.items()
    ]
    save_text_vectors(graph, "e1", vectors)
    assert count_unencoded(graph, "e1") == 0
    assert count_unencoded(graph, "e2") == 2

    save_items(graph, domain, [item_row("1", title="Kolya", year=1996), item_row("2", title="RAN")])
    assert [row["id"] for row in list_unencoded(graph, "e1", 10)] == ["2"]


def test_a_vector_of_a_text_that_changed_meanwhile_is_not_kept(graph, domain):
    save_items(graph, domain, [item_row("1", title="Old")])
    stale = list_unencoded(graph, "e1", 10)[0]["digest"]
    save_items(graph, domain, [item_row("1", title="New")])

    save_text_vectors(graph, "e1", [{"id": "1", "digest": stale, "vector": [1.0]}])

    assert count_unencoded(graph, "e1") == 1


def test_an_item_without_text_waits_for_nothing(graph, domain):
    save_items(graph, domain, [item_row("1", year=1990)])

    assert count_unencoded(graph, "e1") == 0


def test_a_patch_changes_what_it_holds_and_null_removes(graph, domain):
    expiring = {**item_row("1", title="Kolya", year=1996, genres=["Drama"]), "expires_at": NOON}
    save_items(graph, domain, [expiring])

    assert patch_item(graph, domain, {"id": "1", "fields": {"year": None, "genres": ["War"]}})
    assert patch_item(graph, domain, {"id": "1", "fields": {}, "hidden": True})

    item = fetch_item(graph, domain, "1")
    assert item["fields"] == {"title": "Kolya", "genres": ["War"]}
    assert (item["hidden"], item["expires_at"]) == (True, NOON)
    assert patch_item(graph, domain, {"id": "1", "fields": {}, "hidden": False, "expires_at": None})
    item = fetch_item(graph, domain, "1")
    assert (item["hidden"], item["expires_at"]) == (False, None)


def test_a_patch_without_text_leaves_the_text_and_its_vector(graph, domain):
    save_items(graph, domain, [item_row("1", title="Kolya", genres=["War", "Drama"])])
    [row] = list_unencoded(graph, "e1", 10)
    save_text_vectors(graph, "e1", [{"id": "1", "digest": row["digest"], "vector": [1.0]}])

    patch_item(graph, domain, {"id": "1", "fields": {"year": 1996}, "hidden": True})
    assert count_unencoded(graph, "e1") == 0

    patch_item(graph, domain, {"id": "1", "fields": {"title": "KOLYA"}})
    assert list_unencoded(graph, "e1", 10)[0]["text"] == "KOLYA. Drama, War"


def test_a_patch_of_what_is_not_there_creates_nothing(graph, domain):
    assert not patch_item(graph, domain, {"id": "1", "fields": {"title": "x"}})
    assert not patch_user(graph, domain, {"id": "ann", "fields": {"age": 4}})

    assert graph.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_patches_of_one_item_at_once_are_all_kept(graph, domain):
    save_items(graph, domain, [item_row("1", title="0")])
    changes = [{"year": 1996}, {"title": "Kolya"}, {"genres": ["War"]}, {"overview": "o"}]

    with ThreadPoolExecutor(4) as pool:
        rows = [{"id": "1", "fields": change} for change in changes]
        assert all(pool.map(lambda row: patch_item(graph, domain, row), rows))

    assert fetch_item(graph, domain, "1")["fields"] == {
        "title": "Kolya",
        "overview": "o",
        "year": 1996,
        "genres": ["War"],
    }


def test_a_user_is_patched(graph, domain):
    save_users(graph, domain, [{"id": "ann", "fields": {"age": 41, "gender": "F"}}])

    assert patch_user(graph, domain, {"id": "ann", "fields": {"age": None, "occupation": "artist"}})

    assert fetch_user(graph, domain, "ann")["fields"] == {"gender": "F", "occupation": "artist"}
