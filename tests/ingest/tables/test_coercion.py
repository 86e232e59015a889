"""Columns as types: at once where all are plain, one by one where some are not, never wrong."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ingest.tables import coercion

NOON = 1_767_268_800_000_000
SENT = "2026-01-01T12:00:00"


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("a", "a"),
        ("ü" * 256, "ü" * 256),
        (7, "7"),
        (17850.0, "17850"),
        (None, None),
        (-(2**63), str(-(2**63))),
    ],
)
def test_identifiers(value, taken):
    assert coercion.identifiers([value, "b"]) == ([taken, "b"], {})


@pytest.mark.parametrize("value", ["", "a" * 257, "a\x00b", "\udcff", True, ["a"], {}])
def test_what_is_no_identifier_is_said_and_its_neighbours_stay(value):
    values, wrong = coercion.identifiers(["a", value, "b"])

    assert (values[0], values[2]) == ("a", "b")
    assert list(wrong) == [1]


def test_identifiers_of_a_parquet_column():
    assert coercion.identifiers(pa.array([1, None, 3])) == (["1", None, "3"], {})


def test_numbers():
    assert coercion.numbers(["1", "2.5", None, "-3e2"]) == ([1.0, 2.5, None, -300.0], {})
    assert coercion.numbers(["1,5"], ",") == ([1.5], {})
    values, wrong = coercion.numbers(["1", "nan", "inf", "1_0", "x", 2e15, True, "7"])
    assert (values[0], values[-1], sorted(wrong)) == (1.0, 7.0, [1, 2, 3, 4, 5, 6])
    assert wrong[4] == "expected a number, not 'x'"


def test_whole_numbers_and_booleans():
    assert coercion.integers(["3", 4, 5.0, "6.0", None]) == ([3, 4, 5, 6, None], {})
    assert sorted(coercion.integers(["3.5", "x", 2**63, True])[1]) == [0, 1, 2, 3]
    assert coercion.booleans(["yes", "0", True, "x"]) == (
        [True, False, True, None],
        {3: "expected true or false, not 'x'"},
    )


def test_lists():
    assert coercion.strings(["a|b||a", ["c", 1], '["d"]', "['e', 'f']", None], "|") == (
        [["a", "b"], ["c", "1"], ["d"], ["e", "f"], None],
        {},
    )


def test_objects_are_bounded():
    values, wrong = coercion.objects(
        ['{"a": 1}', {"b": 2}, "[1]", "x", '{"a": "' + "y" * 9000 + '"}']
    )
    assert values[:2] == [{"a": 1}, {"b": 2}]
    assert sorted(wrong) == [2, 3, 4]


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (SENT, "iso"),
        (f"{SENT}Z", "iso"),
        ("2026-01-01 13:00:00+01:00", "iso"),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "iso"),
        (1_767_268_800, "iso"),
        ("1767268800", "iso"),
        ("1767268800", "seconds"),
        (1_767_268_800.0, "seconds"),
        (1_767_268_800_000, "milliseconds"),
        (str(NOON), "microseconds"),
        ("01/01/2026 12:00", "%d/%m/%Y %H:%M"),
        ("Thu Jan 01 12:00:00 +0000 2026", "%a %b %d %H:%M:%S %z %Y"),
    ],
)
def test_times_are_microseconds(value, unit):
    assert coercion.times([value, None], unit) == ([NOON, None], {})
    values, wrong = coercion.times([value, "soon", value], unit)
    assert (values, list(wrong)) == ([NOON, None, NOON], [1])


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("s", "Europe/Berlin")])
def test_times_of_a_parquet_column(kind):
    column = pa.array([datetime(2026, 1, 1, 12, tzinfo=UTC), None], pa.timestamp("us", "UTC")).cast(
        kind
    )

    assert coercion.times(column, "iso") == ([NOON, None], {})


@pytest.mark.parametrize(
    "value", ["1969-12-31T23:59:59", "-1", -5, "10000-01-01", True, "99999999999999"]
)
def test_times_before_1970_or_beyond_9999_are_refused(value):
    assert list(coercion.times([SENT, value], "iso")[1]) == [1]
