"""What items have in a field: a property, a list, or nodes."""

import pytest

from graphdb.catalogue.catalogue import save_items
from graphdb.catalogue.field_values import list_field_values
from tests.rows import item_row


@pytest.fixture
def films(graph, domain) -> list[str]:
    rows = [
        item_row("1", title="Solaris", genres=["Sci-Fi", "Drama"]),
        item_row("2", title="Alien", genres=[]),
        item_row("3"),
    ]
    save_items(graph, domain, rows)
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("genres", {"1": ["Drama", "Sci-Fi"]}),
        ("title", {"1": ["Solaris"], "2": ["Alien"]}),
        ("people", {}),
    ],
)
def test_values_are_lists_of_those_who_have_any(graph, domain, films, field, found):
    assert list_field_values(graph, domain, field, [*films, "unheard-of"]) == found
