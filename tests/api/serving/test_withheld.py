"""What answers from memory must not show: as the graph has it, and as was just written."""

import time

from api.serving.withheld import Withheld
from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.removal import delete_item
from tests.rows import item_row


def test_hidden_and_deleted_items_are_withheld_and_come_back(graph, domain):
    save_items(graph, domain, [item_row("1", hidden=True), item_row("2"), item_row("3")])
    withheld = Withheld(["1", "2", "3"])

    assert withheld.renew(graph)
    hidden = withheld.now()
    delete_item(graph, "2")
    save_items(graph, domain, [item_row("1"), item_row("3")])
    withheld.renew(graph)

    assert hidden == {"1"}
    assert withheld.now() == {"2"}


def test_what_was_just_written_counts_at_once_and_from_its_time_on():
    withheld = Withheld(["1", "2"])

    withheld.note({"1": 0.0, "2": time.time() + 3600})
    noted = withheld.now()
    withheld.note({"1": None})

    assert noted == {"1"}
    assert withheld.now() == set()
