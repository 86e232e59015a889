"""Items that must not be shown, for whoever has them in memory."""

from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.removal import delete_item
from graphdb.catalogue.withheld import count_deleted, fetch_withheld, list_missing
from tests.rows import NOON, item_row


def test_hidden_and_expiring_items_are_withheld_from_their_time_on(graph, domain):
    rows = [item_row("shown"), item_row("hidden", hidden=True), item_row("expiring")]
    save_items(graph, domain, [*rows[:2], {**rows[2], "expires_at": NOON}])

    assert fetch_withheld(graph) == {"hidden": 0.0, "expiring": NOON.timestamp()}


def test_deleted_items_are_missing_and_counted(graph, domain):
    save_items(graph, domain, [item_row("1"), item_row("2")])
    assert count_deleted(graph) == 0

    delete_item(graph, "1")

    assert count_deleted(graph) == 1
    assert list_missing(graph, ["1", "2", "3"]) == ["1", "3"]
