"""A version of five items that serves."""

import pytest

from graphdb.catalogue.catalogue import save_items
from graphdb.versions.slots import build_indexes, fill_items, fill_similar
from graphdb.versions.versions import begin_version, flip
from tests.rows import item_row


@pytest.fixture
def published(graph, domain):
    save_items(graph, domain, [item_row(str(n), title=f"t{n}") for n in range(5)])
    save_items(graph, domain, [item_row("3", hidden=True)])
    building = begin_version(graph, "v", {})
    rows = [(str(n), [1.0, n / 10], 1.0) for n in range(5)]
    fill_items(graph, building, rows, lambda n: None)
    weights = [("0", ["1", "2", "3", "4"], [0.1, 0.3, 0.9, -0.2])]
    fill_similar(graph, building, weights, lambda n: None)
    build_indexes(graph, building, 2)
    flip(graph, building)
    return building.slot
