"""Relations judged row by row: every mistake named, the neighbours kept."""

import pytest

from ingest.relation import read_relations
from tests.related import RELATED

FOLLOWS = {"type": "follows", "from": "ann", "to": "bob"}


def test_good_rows_become_the_graphs():
    batch = read_relations(RELATED, [FOLLOWS, {**FOLLOWS, "to": "cid", "weight": 2}])

    assert batch.rows == [
        {"type": "follows", "start": "ann", "end": "bob", "weight": None},
        {"type": "follows", "start": "ann", "end": "cid", "weight": 2.0},
    ]
    assert (batch.indexes, batch.rejected) == ([0, 1], [])


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({}, "type", "missing_field"),
        ({**FOLLOWS, "type": "hates"}, "type", "unknown_relation"),
        ({**FOLLOWS, "type": "FOLLOWS`]->() DETACH DELETE n //"}, "type", "unknown_relation"),
        ({**FOLLOWS, "from": ""}, "from", "invalid_value"),
        ({**FOLLOWS, "from": 3}, "from", "invalid_value"),
        ({**FOLLOWS, "to": "a\x00"}, "to", "invalid_value"),
        ({**FOLLOWS, "to": "\ud800"}, "to", "invalid_value"),
        ({**FOLLOWS, "to": "x" * 257}, "to", "too_large"),
        ({**FOLLOWS, "to": "ann"}, "to", "invalid_value"),
        ({**FOLLOWS, "from": "anonymous:a"}, "from", "invalid_value"),
        ({**FOLLOWS, "weight": float("nan")}, "weight", "invalid_value"),
        ({**FOLLOWS, "weight": "1"}, "weight", "invalid_value"),
        ({**FOLLOWS, "start": "ann"}, "start", "unknown_field"),
        ("ann follows bob", "", "not_an_object"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_a_bad_row_is_named_and_the_neighbours_are_kept(row, field, code):
    batch = read_relations(RELATED, [FOLLOWS, row, {**FOLLOWS, "to": "cid"}])

    assert batch.indexes == [0, 2]
    [rejection] = batch.rejected
    assert (rejection["index"], rejection["field"], rejection["code"]) == (1, field, code)


def test_a_relation_stands_once_in_a_batch():
    batch = read_relations(RELATED, [FOLLOWS, FOLLOWS, {**FOLLOWS, "weight": 1.0}])

    assert (batch.indexes, batch.duplicates_within) == ([0], [1])
    assert [(r["index"], r["code"]) for r in batch.rejected] == [(2, "conflict")]


def test_a_domain_without_relations_says_so(domain):
    without = domain.model_copy(update={"relations": {}})
    [rejection] = read_relations(without, [FOLLOWS]).rejected
    [other] = read_relations(domain, [FOLLOWS]).rejected

    assert rejection["detail"] == "no relation 'follows' in domain films; it has none"
    assert other["detail"] == "no relation 'follows' in domain films; it has sequel_of"
