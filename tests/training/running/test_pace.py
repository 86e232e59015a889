import time

import pytest

from training.running.pace import MEASURED, OverBudgetError, Pace


def laps(monkeypatch, seconds: list[float], **settings) -> None:
    """Batches that take so long, after a start at 1,000 seconds."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace(**settings)
    for each in seconds:
        now[0] += each
        pace.lap()


def test_what_cannot_end_in_time_is_refused_once_a_few_batches_are_measured(monkeypatch):
    settings = {"batches": 10, "epochs": 6, "deadline": 1090.0}
    laps(monkeypatch, [9, 2], **settings)

    with pytest.raises(
        OverBudgetError,
        match=r"at least 2\.0 min \(6 epochs of 20 s\) and 1\.5 min of its budget are left",
    ):
        laps(monkeypatch, [9, 2, 2], **settings)


def test_what_fits_is_not_measured_for_long(monkeypatch):
    laps(monkeypatch, [9, 2, 2, 500, 500], batches=10, epochs=6, deadline=1130.0)


def test_without_a_deadline_nothing_is_refused(monkeypatch):
    laps(monkeypatch, [1e6] * 4, batches=10, epochs=6, deadline=None)


def test_a_training_of_one_batch_is_measured_by_it(monkeypatch):
    assert MEASURED > 1
    with pytest.raises(OverBudgetError, match=r"1 epochs of 1\.0 min"):
        laps(monkeypatch, [60], batches=1, epochs=1, deadline=1010.0)
