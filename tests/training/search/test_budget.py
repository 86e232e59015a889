import time

import pytest

from training.search.budget import Budget, epochs_within


def test_what_is_left_runs_out_and_is_never_negative():
    budget = Budget(minutes=2, started=time.monotonic() - 90)

    assert budget.seconds_left == pytest.approx(30, abs=1)
    assert budget.seconds(0.1) == pytest.approx(12)
    assert budget.seconds(0.9) == pytest.approx(30, abs=1)
    assert Budget(minutes=1, started=time.monotonic() - 90).seconds_left == 0


@pytest.mark.parametrize(("seconds", "epochs"), [(100, 10), (55, 5), (3, 1), (10_000, 60)])
def test_epochs_are_those_that_fit_but_one_at_least(seconds, epochs):
    assert epochs_within(seconds, seconds_an_epoch=10, most=60) == epochs
