"""Events: what is taken, what is refused in which words, and that every row is accounted for."""

import json
import math
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphdb.domain import load_domain
from graphdb.events.event_row import micros
from ingest.event import read_events

FILMS = load_domain("films")
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
GOOD = {
    "event_id": "e1",
    "event_type": "rated",
    "user_id": "u1",
    "item_id": "i1",
    "occurred_at": "2025-05-31T20:15:00Z",
    "value": 4,
}


def nested(depth: int) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def read(*rows):
    return read_events(FILMS, rows, NOW)


def test_a_good_event_becomes_a_row_of_the_graph():
    batch = read({**GOOD, "properties": {"b": [1, "ü"], "a": None}, "position": 3})
    assert batch.rows == [
        {
            "event_id": "e1",
            "event_type": "rated",
            "user_id": "u1",
            "item_id": "i1",
            "occurred_at": micros(datetime(2025, 5, 31, 20, 15, tzinfo=UTC)),
            "at": micros(datetime(2025, 5, 31, 20, 15, tzinfo=UTC)),
            "received_at": micros(NOW),
            "value": 4.0,
            "anonymous_id": None,
            "session_id": None,
            "properties": '{"a":null,"b":[1,"ü"]}',
            "context": None,
            "recommendation_id": None,
            "position": 3,
            "impressions": None,
        }
    ]


BAD = [
    ({"user_id": None}, "user_id", "missing_field"),
    ({"user_id": ""}, "user_id", "invalid_value"),
    ({"user_id": 7}, "user_id", "invalid_value"),
    ({"user_id": "a\x00b"}, "user_id", "invalid_value"),
    ({"item_id": "\ud800"}, "item_id", "invalid_value"),
    ({"item_id": "x" * 257}, "item_id", "too_large"),
    ({"session_id": "x" * 1_000_000}, "session_id", "too_large"),
    ({"value": math.nan}, "value", "invalid_value"),
    ({"value": 1e308 * 10}, "value", "invalid_value"),
    ({"value": 10**400}, "value", "invalid_value"),
    ({"value": -1.1e15}, "value", "invalid_value"),
    ({"value": "4"}, "value", "invalid_value"),
    ({"value": True}, "value", "invalid_value"),
    ({"position": -1}, "position", "invalid_value"),
    ({"position": 1.5}, "position", "invalid_value"),
    ({"occurred_at": "yesterday"}, "occurred_at", "invalid_value"),
    ({"occurred_at": 1748722500000}, "occurred_at", "invalid_value"),
    ({"occurred_at": -1}, "occurred_at", "invalid_value"),
    ({"occurred_at": math.nan}, "occurred_at", "invalid_value"),
    ({"occurred_at": 10**5000}, "occurred_at", "invalid_value"),
    ({"occurred_at": False}, "occurred_at", "invalid_value"),
    ({"occurred_at": "0001-01-01T00:00:00+12:00"}, "occurred_at", "invalid_value"),
    ({"occurred_at": "2025-06-02T12:00:01Z"}, "occurred_at", "time_in_future"),
    ({"event_type": "loved"}, "event_type", "unknown_event_type"),
    ({"properties": "text"}, "properties", "invalid_value"),
    ({"properties": {"a": nested(100_000)}}, "properties", "invalid_value"),
    ({"properties": {"a": "x" * 1_000_000}}, "properties", "too_large"),
    ({"properties": {"a": [0] * 5000}}, "properties", "too_large"),
    ({"properties": {"a": "\x00"}}, "properties", "invalid_value"),
    ({"properties": {"\ud800": 1}}, "properties", "invalid_value"),
    ({"context": {"a": math.inf}}, "context", "invalid_value"),
    ({"context": {"a": {1, 2}}}, "context", "invalid_value"),
    ({"colour": "red"}, "colour", "unknown_field"),
    ({"x" * 1_000_000: "red"}, "x" * 79 + "…", "unknown_field"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD)
def test_a_bad_event_is_refused_by_name_and_its_neighbours_are_kept(change, field, code):
    batch = read({**GOOD, "event_id": "before"}, {**GOOD, **change}, {**GOOD, "event_id": "after"})
    assert [row["event_id"] for row in batch.rows] == ["before", "after"]
    assert batch.indexes == [0, 2]
    [rejection] = batch.rejected
    assert (rejection["index"], rejection["field"], rejection["code"]) == (1, field, code)
    assert "expected" in rejection["detail"] or "no " in rejection["detail"]
    assert len(rejection["detail"]) < 250
    json.dumps(rejection, ensure_ascii=False).encode()


@pytest.mark.parametrize("field", ["user_id", "item_id", "event_type", "occurred_at"])
def test_a_missing_field_is_named(field):
    [rejection] = read({name: value for name, value in GOOD.items() if name != field}).rejected
    assert (rejection["field"], rejection["code"]) == (field, "missing_field")


@pytest.mark.parametrize("row", [None, 3, "rated", [], [GOOD]], ids=str)
def test_what_is_no_object_is_refused(row):
    assert [r["code"] for r in read(row).rejected] == ["not_an_object"]


def test_an_unknown_type_is_told_the_known_ones():
    [rejection] = read({**GOOD, "event_type": "loved"}).rejected
    assert rejection["detail"].endswith("it has dismissed, rated, watched")


def test_a_field_name_without_place_in_utf8_is_refused():
    assert [r["code"] for r in read({**GOOD, "\ud800": 1}).rejected] == ["invalid_value"]


@pytest.mark.parametrize(
    "text",
    [
        "'}) DETACH DELETE (n) //",
        "title:* AND (NOT x)~2 \\",
        "<script>alert(1)</script>",
        "\u202eright to left\u202c",
        "`); DROP TABLE users",
        "a/b?c=d#e",
    ],
)
def test_hostile_text_is_kept_as_it_is(text):
    [row] = read({**GOOD, "user_id": text, "item_id": text, "properties": {text: text}}).rows
    assert (row["user_id"], row["item_id"]) == (text, text)
    assert json.loads(row["properties"] or "") == {text: text}


@pytest.mark.parametrize(
    ("occurred_at", "at"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (881250949.5, datetime.fromtimestamp(881250949.5, UTC)),
        ("2025-01-02", datetime(2025, 1, 2, tzinfo=UTC)),
        ("2025-01-02T03:04:05", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05+02:00", datetime(2025, 1, 2, 1, 4, 5, tzinfo=UTC)),
        (NOW + timedelta(minutes=5), NOW + timedelta(minutes=5)),
    ],
    ids=str,
)
def test_times_are_read_as_utc(occurred_at, at):
    [row] = read_events(FILMS, [{**GOOD, "occurred_at": occurred_at}], NOW, history=True).rows
    assert (row["at"], row["occurred_at"]) == (micros(at), micros(at))


@pytest.mark.parametrize("hours", [0.1, 1, 23, 24])
def test_a_clock_up_to_a_day_ahead_is_clamped_and_flagged(hours):
    ahead = NOW + timedelta(hours=hours)
    [row] = read({**GOOD, "occurred_at": ahead}).rows
    assert (row["at"], row["occurred_at"]) == (micros(NOW), micros(ahead))


def test_an_anonymous_person_has_an_id_that_no_known_person_can_have():
    nobody = {name: value for name, value in GOOD.items() if name != "user_id"}
    batch = read(
        {**nobody, "anonymous_id": "a1"},
        {**GOOD, "event_id": "e2", "anonymous_id": "a1"},
        {**GOOD, "event_id": "e3", "user_id": "anonymous:a1"},
        {**nobody, "event_id": "e4"},
    )
    assert [(row["user_id"], row["anonymous_id"]) for row in batch.rows] == [
        ("anonymous:a1", None),
        ("u1", "a1"),
    ]
    assert [(r["index"], r["field"], r["code"]) for r in batch.rejected] == [
        (2, "user_id", "invalid_value"),
        (3, "user_id", "missing_field"),
    ]


def test_what_is_older_than_the_horizon_is_set_aside_but_for_history():
    old = {**GOOD, "occurred_at": (NOW - timedelta(days=3651)).isoformat()}
    batch = read(old, {**GOOD, "event_id": "e2"})
    assert [(r["index"], r["field"], r["code"]) for r in batch.rejected] == [
        (0, "occurred_at", "too_old")
    ]
    assert [row["event_id"] for row in batch.too_old] == ["e1"]
    assert [row["event_id"] for row in batch.rows] == ["e2"]
    assert len(read_events(FILMS, [old], NOW, history=True).rows) == 1


def test_impressions_are_kept_and_bounded():
    [row] = read({**GOOD, "impressions": ["1", "2"]}).rows
    assert row["impressions"] == ["1", "2"]
    [rejected] = read({**GOOD, "impressions": ["1"] * 501}).rejected
    assert (rejected["field"], rejected["code"]) == ("impressions", "too_large")


def test_the_same_id_is_a_duplicate_or_a_conflict_and_another_type_is_another_event():
    rows = [GOOD, {**GOOD, "value": 4.0}, {**GOOD, "value": 5}, {**GOOD, "event_type": "watched"}]
    batch = read(*rows)
    assert (batch.indexes, batch.duplicates_within) == ([0, 3], [1])
    assert [(r["index"], r["code"]) for r in batch.rejected] == [(2, "conflict")]


def test_a_missing_id_is_derived_from_who_what_and_when():
    bare = {name: value for name, value in GOOD.items() if name != "event_id"}
    again = {**bare, "occurred_at": "2025-05-31T22:15:00+02:00"}
    later = {**bare, "occurred_at": "2025-05-31T20:15:01Z"}
    batch = read(bare, again, later)
    assert batch.duplicates_within == [1]
    assert len({row["event_id"] for row in batch.rows}) == 2
    elsewhere = read_events(FILMS, [bare], NOW, source="shop")
    assert elsewhere.rows[0]["event_id"] != batch.rows[0]["event_id"]


def test_a_derived_id_does_not_depend_on_when_a_fast_clocks_event_was_received():
    bare = {**GOOD, "event_id": None, "occurred_at": NOW + timedelta(hours=2)}
    first = read_events(FILMS, [bare], NOW).rows[0]
    second = read_events(FILMS, [bare], NOW + timedelta(minutes=1)).rows[0]
    assert first["at"] != second["at"]
    assert first["event_id"] == second["event_id"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from([*GOOD, "properties", "context", "session_id", "position", "other"])
NEARLY_GOOD = st.dictionaries(FIELDS, JSON, max_size=2).map(lambda change: {**GOOD, **change})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(NEARLY_GOOD | JSON, max_size=8))
def test_every_row_is_accounted_for_once_whatever_it_holds(rows):
    batch = read(*rows)
    rejected = [rejection["index"] for rejection in batch.rejected]
    assert sorted([*batch.indexes, *batch.duplicates_within, *rejected]) == list(range(len(rows)))
    assert len(batch.rows) == len(batch.indexes)
    json.dumps(batch.rejected, ensure_ascii=False).encode()


def test_ten_thousand_rows_take_about_a_second_at_most():
    rows = [{**GOOD, "event_id": None, "user_id": f"u{n}"} for n in range(10_000)]
    began = time.process_time()
    assert len(read(*rows).rows) == 10_000
    assert time.process_time() - began < 1.5
