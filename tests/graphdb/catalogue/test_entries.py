"""Entries as they were saved: fields by the domain's names, pages in the order of their ids."""

from datetime import UTC, datetime

from graphdb.catalogue.catalogue import save_items, save_users
from graphdb.catalogue.entries import fetch_item, fetch_user, list_items, list_users
from graphdb.events.events import save_events
from tests.rows import NOON, event_row, item_row

FIELDS = {"title": "Kolya", "year": 1996, "genres": ["Comedy", "Drama"], "countries": ["Japan"]}


def test_an_item_is_read_as_it_was_saved(graph, domain):
    save_items(graph, domain, [{**item_row("1", hidden=True, **FIELDS), "expires_at": NOON}])
    graph.write("MATCH (i:Item {id: '1'}) SET i.vector_a = [1.0], i.text_vector = [1.0]")

    item = fetch_item(graph, domain, "1")

    created = item.pop("created_at")
    assert item == {"id": "1", "fields": FIELDS, "hidden": True, "expires_at": NOON}
    assert list(item["fields"]) == list(FIELDS)
    assert abs((datetime.now(UTC) - created).total_seconds()) < 600


def test_an_item_that_only_an_event_named_has_no_fields(graph, domain):
    save_events(graph, domain, "api", [event_row("ann", "1")])

    item, user = fetch_item(graph, domain, "1"), fetch_user(graph, domain, "ann")

    assert (item["fields"], item["hidden"], item["expires_at"]) == ({}, False, None)
    assert (user["id"], user["fields"], user["same_as"]) == ("ann", {}, None)


def test_what_nobody_has_saved_is_none(graph, domain):
    assert fetch_item(graph, domain, "1") is None
    assert fetch_user(graph, domain, "ann") is None


def test_a_user_is_read_as_saved(graph, domain):
    save_users(graph, domain, [{"id": "ann", "fields": {"age": 41}}])

    assert fetch_user(graph, domain, "ann")["fields"] == {"age": 41}


def test_pages_hold_everything_once_in_order(graph, domain):
    names = [f"i{n:02}" for n in range(25)]
    save_items(graph, domain, [item_row(name, title=name, genres=[name]) for name in names])
    save_users(graph, domain, [{"id": name, "fields": {}} for name in names])

    for listed in (list_items, list_users):
        found, after = [], ""
        while page := listed(graph, domain, after, 10):
            found += page
            after = page[-1]["id"]
        assert [entry["id"] for entry in found] == names

    assert [e["fields"]["genres"] for e in list_items(graph, domain, "i03", 2)] == [
        ["i04"],
        ["i05"],
    ]
