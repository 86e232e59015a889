import pytest

from training.running.trained import Trained


def row(epoch: int, seconds: float, **more: float) -> dict[str, float]:
    return {"epoch": epoch, "loss": 1.0, **more, "seconds": seconds}


def test_two_runs_of_one_model_are_told_as_one():
    # The first was best after two of its three epochs.
    first = Trained(2, 0.3, 6.0, [0.1, 0.3, 0.2], [row(1, 2.0), row(2, 4.0), row(3, 6.0)])
    second = Trained(1, 0.5, 3.0, [0.5], [row(1, 3.0)])

    whole = second.after(first)

    assert (whole.epochs, whole.best, whole.seconds) == (3, 0.5, 9.0)
    assert whole.validations == [0.1, 0.3, 0.2, 0.5]
    assert whole.curve == [row(1, 2.0), row(2, 4.0), row(3, 9.0)]


def test_an_epoch_is_as_long_as_if_it_had_not_been_cut_short():
    cut = Trained(1, 0.1, 5.0, [0.1], [row(1, 5.0, lacking=15.0)])
    whole = Trained(2, 0.3, 44.0, [0.2, 0.3], [row(1, 22.0), row(2, 44.0)])

    assert cut.seconds_an_epoch == 20
    assert whole.seconds_an_epoch == 22
    assert whole.after(cut).seconds_an_epoch == pytest.approx(64 / 3)
