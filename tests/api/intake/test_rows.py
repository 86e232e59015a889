"""Rows over HTTP: bounded lists, and cursors that lead from page to page."""

import pytest

from api.intake.rows import PageQuery, alone, as_list, check_size, next_cursor
from api.problems import ConflictError, InvalidError, TooLargeError
from graphdb.people.erasure import ErasedError


def test_a_list_is_one_to_so_many():
    check_size([1, 2], 2, "items")
    with pytest.raises(InvalidError, match="the list of items is empty: send 1 to 2"):
        check_size([], 2, "items")
    with pytest.raises(TooLargeError, match="3 items in one request: send at most 2"):
        check_size([1, 2, 3], 2, "items")
    with pytest.raises(InvalidError, match="expected a list of items"):
        as_list({"id": "1"}, 2, "items")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("conflict", ConflictError), ("invalid_value", InvalidError), ("erased", ErasedError)],
)
def test_a_row_by_itself_is_a_problem_of_its_own(code, kind):
    alone([], "item")
    with pytest.raises(kind):
        alone([{"index": 0, "code": code, "field": "id", "detail": "expected an id"}], "item")


@pytest.mark.parametrize("id", ["a", "ä/b?c", "x" * 256, "\u202e"])
def test_a_cursor_leads_behind_the_last_entry_of_the_page(id):
    entries = [{"id": "0"}, {"id": id}, {"id": "z"}]

    cursor = next_cursor(entries, 2)

    assert PageQuery(cursor=cursor).after == id
    assert next_cursor(entries, 3) is None
    assert PageQuery().after == ""


@pytest.mark.parametrize("cursor", ["%%%", "abc", "ä", "//8="])
def test_what_is_no_cursor_of_ours_is_refused(cursor):
    with pytest.raises(InvalidError, match="expected the next_cursor"):
        _ = PageQuery(cursor=cursor).after
