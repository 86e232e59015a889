"""What a request may ask for beside its reasons, and how reasons are told."""

import pytest

from api.reasons.reasons import Reason
from api.reasons.telling import REASONS, ReasonOut, reasons_out, wanted_of


@pytest.mark.parametrize("told", ["knowledge", "paths", "cypher", "attention"])
def test_what_is_told_of_reasons_brings_them_along(told):
    assert wanted_of([told]) == {"reasons": REASONS, "fields": False, "told": {told}}


def test_reasons_and_fields_are_asked_for_each_by_itself():
    assert wanted_of([]) == {"reasons": 0, "fields": False, "told": frozenset()}
    assert wanted_of(["item"])["fields"] and not wanted_of(["item"])["reasons"]
    assert wanted_of(["reasons"])["reasons"] == REASONS


def test_a_reason_tells_what_it_has():
    tie = {"kind": "relation", "by": "sequel_of", "from": "2", "to": "1"}
    reason = Reason("event", 0.5, 1.0, item_id="1", walked=0.2, knowledge=[tie])

    [told] = reasons_out([reason])

    assert told == {
        "kind": "event",
        "contribution": 0.5,
        "share": 1.0,
        "item_id": "1",
        "knowledge": [tie],
    }
    assert ReasonOut(**told).model_dump(by_alias=True, exclude_unset=True) == told
