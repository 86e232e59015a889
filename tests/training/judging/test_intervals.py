"""Intervals and p against scipy, and against what is known of them."""

import numpy as np
import pytest
from scipy.stats import bootstrap, permutation_test, ttest_1samp

from training.judging.intervals import PerUser, intervals, list_interval, permutation_p, resamples
from training.judging.metrics import coverage, gini


def test_the_interval_of_a_mean_is_scipys():
    values = np.random.default_rng(1).exponential(size=400)

    found = intervals({"x": PerUser.mean(values)}, seed=3)["x"]

    theirs = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=5_000, rng=np.random.default_rng(4)
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=width / 15)
    assert found.high == pytest.approx(theirs.high, abs=width / 15)


def test_users_without_a_value_are_left_out_and_a_measure_nobody_has_as_well():
    values = np.array([1.0, np.nan, 3.0, np.nan])

    found = intervals({"x": PerUser.mean(values), "y": PerUser.mean(np.full(4, np.nan))}, seed=1)

    assert set(found) == {"x"}
    assert (found["x"].value, found["x"].low, found["x"].high) == (2.0, 1.0, 3.0)


def test_a_root_is_that_of_the_ratio_of_sums():
    measure = PerUser(np.array([8.0, 1.0]), np.array([2.0, 7.0]), root=True)

    assert intervals({"rmse": measure}, seed=1)["rmse"].value == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_interval_and_each_resample_is_as_many_users():
    values = {"x": PerUser.mean(np.random.default_rng(1).random(50))}

    assert intervals(values, seed=1) == intervals(values, seed=1) != intervals(values, seed=2)
    drawn = np.concatenate(list(resamples(30, 120, 1)))
    assert drawn.shape == (120, 30)
    assert (drawn.sum(axis=1) == 30).all()


@pytest.mark.parametrize("figure", [coverage, gini])
def test_the_interval_of_all_lists_holds_the_figure(figure):
    lists = np.random.default_rng(1).zipf(1.5, (200, 5)) % 60

    found = list_interval(lists, 60, figure, seed=1)

    assert found.low < found.value < found.high
    assert found.high - found.low < 0.3


def test_p_is_scipys_where_all_exchanges_can_be_tried():
    differences = np.random.default_rng(2).normal(0.4, 1, 10)

    exact = permutation_test(
        (differences,),
        lambda x, axis: x.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=10_000,
    ).pvalue

    assert permutation_p(differences[:, None], seed=1)[0] == pytest.approx(exact, abs=0.03)


def test_p_of_many_users_is_the_t_tests_and_several_are_tested_at_once():
    differences = np.random.default_rng(3).normal([0.0, 0.08, 1.0], 1, (900, 3))

    found = permutation_p(differences, seed=1)

    expected = ttest_1samp(differences, 0).pvalue
    np.testing.assert_allclose(found, expected, atol=0.04)
    assert found[2] < 0.001
    assert permutation_p(np.zeros((20, 1)), seed=1)[0] == 1
