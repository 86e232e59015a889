"""Catalogue rows: judged by the domain's fields, every mistake named."""

from datetime import UTC, datetime

import pytest

from ingest.catalogue import read_item_patch, read_items, read_user_patch, read_users


def test_a_good_item_keeps_its_fields_and_leaves_null_ones_out(domain):
    fields = {"title": "Kolya", "year": 1996, "genres": ["Comedy"], "overview": None}
    batch = read_items(domain, [{"id": "242", "fields": fields}, {"id": "243", "hidden": True}])
    assert batch.rows == [
        {
            "id": "242",
            "fields": {"title": "Kolya", "year": 1996, "genres": ["Comedy"]},
            "hidden": False,
            "expires_at": None,
        },
        {"id": "243", "fields": {}, "hidden": True, "expires_at": None},
    ]


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"titel": "Kolya"}, "fields.titel", "unknown_field"),
        ({"year": "1996"}, "fields.year", "invalid_value"),
        ({"year": True}, "fields.year", "invalid_value"),
        ({"year": 2**63}, "fields.year", "invalid_value"),
        ({"title": ["Kolya"]}, "fields.title", "invalid_value"),
        ({"title": "a\x00b"}, "fields.title", "invalid_value"),
        ({"title": "\ud800"}, "fields.title", "invalid_value"),
        ({"overview": "x" * 1_000_000}, "fields.overview", "too_large"),
        ({"genres": "Comedy"}, "fields.genres", "invalid_value"),
        ({"genres": ["Comedy", 3]}, "fields.genres.1", "invalid_value"),
        ({"genres": [""]}, "fields.genres.0", "invalid_value"),
        ({"genres": ["x" * 257]}, "fields.genres.0", "too_large"),
        ({"genres": [str(n) for n in range(257)]}, "fields.genres", "too_large"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_field_is_named_and_the_neighbours_are_kept(domain, fields, field, code):
    rows = [{"id": "1"}, {"id": "2", "fields": fields}, {"id": "3"}]
    batch = read_items(domain, rows)
    assert batch.indexes == [0, 2]
    [rejection] = batch.rejected
    assert (rejection["index"], rejection["field"], rejection["code"]) == (1, field, code)
    assert len(rejection["detail"]) < 200


def test_every_mistake_of_a_row_is_told(domain):
    batch = read_items(domain, [{"id": "1", "fields": {"titel": "x", "year": 1.5, "genres": 3}}])
    assert {r["field"] for r in batch.rejected} == {"fields.titel", "fields.year", "fields.genres"}


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (3, "", "not_an_object"),
        ({"fields": {}}, "id", "missing_field"),
        ({"id": ""}, "id", "invalid_value"),
        ({"id": "1", "title": "Kolya"}, "title", "unknown_field"),
        ({"id": "1", "hidden": "no"}, "hidden", "invalid_value"),
        ({"id": "1", "fields": []}, "fields", "invalid_value"),
    ],
    ids=str,
)
def test_a_bad_row_is_named(domain, row, field, code):
    [rejection] = read_items(domain, [row]).rejected
    assert (rejection["field"], rejection["code"]) == (field, code)


def test_an_id_stands_once_in_a_batch(domain):
    ages = [3.5, 41, 41, 42]

    batch = read_users(domain, [{"id": "1", "fields": {"age": age}} for age in ages])

    assert (batch.indexes, batch.duplicates_within) == ([1], [2])
    assert [(r["index"], r["code"]) for r in batch.rejected] == [
        (0, "invalid_value"),
        (3, "conflict"),
    ]


def test_a_patch_holds_what_was_given_and_null_removes(domain):
    patch = read_item_patch(domain, {"id": "1", "fields": {"year": None, "title": "Kolya"}})
    shown = read_item_patch(domain, {"id": "1", "hidden": False, "expires_at": None})
    aged = read_user_patch(domain, {"id": "ann", "fields": {"age": None}})
    [rejection] = read_item_patch(domain, {"id": "1", "fields": {"titel": None}}).rejected

    assert patch.rows == [{"id": "1", "fields": {"year": None, "title": "Kolya"}}]
    assert shown.rows == [{"id": "1", "fields": {}, "hidden": False, "expires_at": None}]
    assert aged.rows == [{"id": "ann", "fields": {"age": None}}]
    assert (rejection["field"], rejection["code"]) == ("fields.titel", "unknown_field")


def test_an_expiry_is_a_time(domain):
    batch = read_items(domain, [{"id": "1", "expires_at": "2026-12-24T01:00:00+01:00"}])
    [rejection] = read_items(domain, [{"id": "1", "expires_at": "soon"}]).rejected

    assert batch.rows[0]["expires_at"] == datetime(2026, 12, 24, tzinfo=UTC)
    assert (rejection["field"], rejection["code"]) == ("expires_at", "invalid_value")


def test_a_users_id_is_not_that_of_somebody_anonymous(domain):
    [rejection] = read_users(domain, [{"id": "anonymous:a1"}]).rejected

    assert (rejection["field"], rejection["code"]) == ("id", "invalid_value")
    assert read_items(domain, [{"id": "anonymous:a1"}]).rejected == []


def test_users_have_their_own_fields(domain):
    fields = {"age": 24, "gender": "M", "occupation": "technician"}
    assert read_users(domain, [{"id": "1", "fields": fields}]).rows == [
        {"id": "1", "fields": fields}
    ]
    [rejection] = read_users(domain, [{"id": "1", "hidden": True}]).rejected
    assert (rejection["field"], rejection["code"]) == ("hidden", "unknown_field")
