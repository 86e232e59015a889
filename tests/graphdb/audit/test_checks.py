"""A check's query with its parameters written in: the server reads back the same values."""

import pytest

from graphdb.audit.checks import Check, literal
from graphdb.exploration import explore

VALUES = [
    "plain",
    'it\'s "quoted" `so`',
    "\\u0027 \\\\u0022 \\' \\\" $name {a: 1} // /* ",
    "tab\t newline\n NUL-free \x1f \x7f",
    "ä 日本 \U0001f600 \u202e",
    0,
    -12,
    2.5,
    1e300,
    1e-7,
    True,
    None,
    [],
    ["a", "b'"],
    {"HAS_GENRE": [["Item", "Genre"]], "in": 1},
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_a_value_written_in_is_read_back(graph, value):
    check = Check("x", "nothing", "RETURN $value AS value, $value AS again", {"value": value})

    assert "'" not in check.query
    assert explore(graph, check.query).rows == [[value, value]]


def test_keys_and_order_are_kept():
    assert literal({"b": 1, "a": [True, None]}) == "{b: 1, a: [true, null]}"
