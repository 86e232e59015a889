"""People, items and the knowledge graph's edges as tables."""

import pytest

from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.domain import parse_domain
from graphdb.events.events import save_events
from graphdb.export.histories import ExportError
from graphdb.export.tables import People, read_edges, read_items
from tests.rows import event_row, item_row

SOCIAL = """
name = "small"
[item]
label = "Film"
[user.fields.city]
node = { label = "City", relationship = "LIVES_IN" }
[events.rated]
relationship = "RATED"
[relations.follows]
relationship = "FOLLOWS"
from = "user"
to = "user"
[relations.sequel]
relationship = "SEQUEL_OF"
from = "item"
to = "item"
"""


def test_who_was_joined_is_a_member_of_the_known_user(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1"), event_row("anonymous:x", "2")])
    graph.write(
        "MATCH (a:User {id: 'anonymous:x'}), (b:User {id: 'ann'}) CREATE (a)-[:SAME_AS]->(b)"
    )

    people = People(graph, domain)

    assert people.users.num_rows == 1
    assert [member.event_count for member in people.members[0]] == [1, 1]
    assert set(people.rows.values()) == {0}


def test_edges_lead_between_rows_and_attributes(graph):
    domain = parse_domain(SOCIAL, "small.toml")
    save_users(
        graph, domain, [{"id": "ann", "fields": {"city": "Rome"}}, {"id": "bob", "fields": {}}]
    )
    save_items(graph, domain, [item_row("1"), item_row("2")])
    graph.write("MATCH (a:User {id: 'ann'}), (b:User {id: 'bob'}) CREATE (a)-[:FOLLOWS]->(b)")
    graph.write("MATCH (a:Item {id: '2'}), (b:Item {id: '1'}) CREATE (a)-[:SEQUEL_OF]->(b)")
    people = People(graph, domain)
    keys = {r["id"]: r["key"] for r in graph.read("MATCH (u:User) RETURN u.id AS id, u.key AS key")}
    ann, bob = people.rows[keys["ann"]], people.rows[keys["bob"]]

    edges = {
        n: t.to_pylist()
        for n, t in read_edges(graph, domain, people.rows, {"1": 0, "2": 1}).items()
    }

    assert edges == {
        "FOLLOWS": [{"from_kind": "user", "from": ann, "to_kind": "user", "to": bob, "node": None}],
        "LIVES_IN": [
            {"from_kind": "user", "from": ann, "to_kind": "City", "to": None, "node": "Rome"}
        ],
        "SEQUEL_OF": [{"from_kind": "item", "from": 1, "to_kind": "item", "to": 0, "node": None}],
    }


def test_two_encoders_are_refused(graph, domain):
    save_items(graph, domain, [item_row("1"), item_row("2")])
    graph.write("MATCH (i:Item) SET i.text_vector = [1.0], i.text_encoder = i.id")

    with pytest.raises(ExportError, match="2 different encoders"):
        read_items(graph, domain)
