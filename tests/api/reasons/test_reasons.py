"""Reasons: signed contributions that are the score, shares of the positive ones."""

import numpy as np
import pytest

from api.reasons.reasons import reasons_for
from api.serving.mapped import History, mapped
from api.serving.people import People
from api.serving.withheld import Withheld


@pytest.fixture
def version(world):
    return mapped(world, "a", People(), Withheld(world.item_ids))


def history_of(version, key: str) -> History:
    return version.history([key], [])


@pytest.mark.parametrize("limit", [1, 3, 10, 99])
def test_they_add_up_to_the_exact_score(version, world, limit):
    rows = np.arange(len(world.item_ids))
    for key in world.user_keys[:4]:
        history = history_of(version, key)
        scores = world.scorer.scores(history.row, history.residual[None])[0]

        explained = reasons_for(version, history, rows, limit)

        for score, (exact, reasons) in zip(scores, explained, strict=True):
            assert sum(r.contribution for r in reasons) == pytest.approx(exact, abs=1e-6)
            assert exact == pytest.approx(score, abs=1e-4)
            assert sum(r.share for r in reasons) == pytest.approx(1)
            assert all(r.share >= 0 for r in reasons)
            assert len(reasons) == min(limit, 10) + (limit < 10) + 1


def test_the_strongest_events_are_named_first(version, world):
    history = history_of(version, world.user_keys[0])

    [(_, reasons)] = reasons_for(version, history, np.array([3]), 4)

    sizes = [abs(r.contribution) for r in reasons if r.kind == "event"]
    assert sizes == sorted(sizes, reverse=True)
    other = next(r for r in reasons if r.kind == "other_events")
    assert other.count == 6


def test_a_share_is_of_what_speaks_for_the_item(version, world):
    history = history_of(version, world.user_keys[0])

    [(_, reasons)] = reasons_for(version, history, np.array([3]), 10)

    positive = sum(max(r.contribution, 0) for r in reasons)
    for reason in reasons:
        assert reason.share == pytest.approx(max(reason.contribution, 0) / positive)
    assert any(r.contribution < 0 and r.share == 0 for r in reasons)


def test_without_a_residual_there_is_no_general_taste(version, world):
    known = history_of(version, world.user_keys[0])
    history = History(known.row, None, known.seen)

    [(_, reasons)] = reasons_for(version, history, np.array([3]), 2)

    assert "general_taste" not in {r.kind for r in reasons}
