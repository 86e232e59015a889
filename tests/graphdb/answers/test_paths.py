"""Evidence and history: a person's own events, newest counted, with what there is to show."""

import pytest

from graphdb.answers.paths import Path, fetch_evidence, fetch_history, list_typical
from graphdb.catalogue.catalogue import save_items
from graphdb.events.events import save_events
from graphdb.exploration import explore
from tests.rows import event_row, item_row


@pytest.fixture
def told(graph, domain):
    save_items(graph, domain, [item_row("1", title="Ran", year=1985), item_row("2")])
    rows = [
        event_row("ann", "1", 1, value=4.0),
        event_row("ann", "1", 9, event_id="again", event_type="watched"),
        event_row("ann", "2", 5, event_type="dismissed"),
        event_row("bob", "2", 20),
    ]
    save_events(graph, domain, "api", rows)
    return graph


def test_evidence_is_the_persons_latest_event_on_each_item(told, domain):
    latest, fields = fetch_evidence(told, domain, "ann", ["1", "2", "3"], ["1", "2", "3"])

    assert {
        item: (e.event_type, e.at[:16], e.event_id, e.user_id) for item, e in latest.items()
    } == {
        "1": ("watched", "2026-01-01T12:09", "again", "ann"),
        "2": ("dismissed", "2026-01-01T12:05", "ann-2", "ann"),
    }
    assert fields == {"1": {"title": "Ran", "year": 1985}, "2": {}}


def test_nobody_has_no_evidence_but_items_are_still_shown(told, domain):
    latest, fields = fetch_evidence(told, domain, "nobody", ["1"], ["1"])

    assert (latest, fields["1"]["title"]) == ({}, "Ran")


def test_attention_is_that_of_all_events_on_the_item_and_none_where_there_is_none(told, domain):
    told.write("MATCH (:User {id: 'ann'})-[r]->(:Item {id: '1'}) SET r.attention_b = 0.25")
    asked = ("ann", ["1", "2"], [])

    latest, _ = fetch_evidence(told, domain, *asked, "attention_b")

    assert {item: e.attention for item, e in latest.items()} == {"1": 0.5, "2": None}
    for other in ("attention_a", ""):
        latest, _ = fetch_evidence(told, domain, *asked, other)
        assert [e.attention for e in latest.values()] == [None, None]


@pytest.fixture
def weighed(told):
    """Version v in slot b, with a weight between the two items."""
    told.write("CREATE (:ModelVersion {id: 'v', slot: 'b', state: 'serving'})")
    told.write(
        "MATCH (i:Item {id: '1'}), (j:Item {id: '2'}) CREATE (i)-[:SIMILAR_B {weight: 0.25}]->(j)"
    )
    return told


@pytest.mark.parametrize(
    ("event", "weight", "kinds"),
    [
        (True, 0.25, [["User", "Item", "Item"], ["WATCHED", "SIMILAR_B"]]),
        (True, None, [["User", "Item"], ["WATCHED"]]),
        (False, 0.25, [["Item", "Item"], ["SIMILAR_B"]]),
    ],
)
def test_a_path_is_what_its_statement_fetches(weighed, domain, event, weight, kinds):
    latest, _ = fetch_evidence(weighed, domain, "ann", ["1"], [])
    path = Path("v", "b", "1", "2", latest["1"] if event else None, weight)

    statement, parameters = path.query(domain)
    found = explore(weighed, statement, parameters)

    told = path.told(domain)
    assert [dict(zip(found.columns, row, strict=True)) for row in found.rows] == [told]
    assert [
        [n["label"] for n in told["nodes"]],
        [r["type"] for r in told["relationships"]],
    ] == kinds
    assert "1" not in statement and "ann" not in statement


def test_a_weight_of_a_version_that_is_gone_is_not_fetched(weighed, domain):
    path = Path("v", "b", "1", "2", None, 0.25)
    assert len(explore(weighed, *path.query(domain)).rows) == 1

    weighed.write("MATCH (v:ModelVersion {id: 'v'}) SET v.state = 'retired'")

    assert explore(weighed, *path.query(domain)).rows == []


def test_history_is_newest_first_and_bounded(told, domain):
    history = fetch_history(told, domain, "ann", 2)

    assert [(e["id"], e["type"], e["value"]) for e in history] == [
        ("1", "watched", None),
        ("2", "dismissed", None),
    ]
    assert history[0]["item"] == {"title": "Ran", "year": 1985}
    assert fetch_history(told, domain, "nobody", 2) == []


def test_typical_people_stand_at_shares_of_the_order_by_activity(told, domain):
    assert list_typical(told, domain, [0.0, 1.0]) == ["bob", "ann"]


def test_in_an_empty_graph_nobody_is_typical(graph, domain):
    assert list_typical(graph, domain, [0.5]) == []
