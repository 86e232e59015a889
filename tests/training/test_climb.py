import numpy as np
import pytest

from tests.training.test_selection import two_tastes
from training.climb import add_up, choose_forms, climb
from training.closed_forms.ease import EaseConfig
from training.closed_forms.itemknn import ItemknnConfig


@pytest.fixture(scope="module")
def validation():
    return two_tastes(met=10)


def test_climbing_ends_where_no_neighbour_on_the_grid_is_better(validation):
    found = climb(EaseConfig(reg=2000), validation, seconds=60)

    by_reg = {row["reg"]: row["ndcg"] for row in found.trials}
    grid = [reg for reg in EaseConfig.grid["reg"] if reg in by_reg]
    place = grid.index(found.config.reg)
    assert by_reg[found.config.reg] == found.ndcg.mean() == max(by_reg.values())
    assert len(grid) >= 2
    assert place in {0, *range(1, len(grid))}


def test_without_time_the_settings_given_are_measured_and_kept(validation):
    found = climb(EaseConfig(reg=50), validation, seconds=0)

    assert found.config == EaseConfig(reg=50)
    assert [row["reg"] for row in found.trials] == [50]


def test_a_second_form_is_added_only_where_it_is_measurably_better(validation):
    climbed = [climb(form, validation, 0) for form in (EaseConfig(reg=10), EaseConfig(reg=11))]

    chosen, trials = add_up(climbed, validation)

    assert len(chosen) == 1
    assert len(trials) == 4


def test_the_chosen_forms_are_fitted_cut_and_told_to_the_baselines(validation):
    found = choose_forms((EaseConfig(), ItemknnConfig(neighbours=20)), validation, 5, truncation=4)

    assert np.diff(found.cut.indptr).max() <= 4
    assert [form.name for form in found.baselines] == ["itemknn", "ease"]
    best = {row["model"] for row in found.trials}
    assert {"ease", "itemknn"} <= best
