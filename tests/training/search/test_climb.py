from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.search.test_selection import two_tastes
from training.closed_form import ClosedFormConfig, ItemWeights
from training.closed_forms.ease import EaseConfig
from training.closed_forms.itemknn import ItemknnConfig
from training.search import climb as climb_module
from training.search import selection
from training.search.climb import choose_form, climb, first_of_the_best


class OneTaste(ClosedFormConfig):
    """EASE of the items of one taste; for the other it knows nothing."""

    name: ClassVar[str] = "one taste"
    grid: ClassVar = {"taste": (0, 1)}

    taste: int

    def fit(self, graph: sp.csr_matrix, prepared: None = None) -> ItemWeights:
        mine = (np.arange(graph.shape[1]) // 15 == self.taste).astype(np.float32)
        return EaseConfig(reg=5).fit(sp.csr_matrix(graph @ sp.diags(mine)))


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


@pytest.mark.parametrize(("others", "stands"), [(0, True), (1, False)])
def test_where_a_climb_leads_must_be_better_for_others_too(validation, monkeypatch, others, stands):
    for module in (climb_module, selection):
        monkeypatch.setattr(module, "FEW_USERS", 20)
    asked, fresh = (np.flatnonzero(validation.users % 2 == taste) for taste in (0, others))
    order = np.concatenate([validation.users[asked][:20], validation.users[fresh][-20:]])

    found = climb(OneTaste(taste=1), replace(validation, users=order), seconds=60)

    assert found.config.taste == (0 if stands else 1)
    assert [row["taste"] for row in found.trials] == [1, 0]


class Elsewhere(OneTaste):
    """Without neighbours, but with settings of which data of another kind say that they are best,
    and so slow to prepare that no time would be left."""

    name: ClassVar[str] = "elsewhere"
    grid: ClassVar = {}
    starts: ClassVar = ({"taste": 1},)

    def prepare(self, graph: sp.csr_matrix) -> None:
        clock.now += 1_000


class clock:
    now = 0.0


@pytest.mark.parametrize("taste", [0, 1])
def test_a_climb_begins_where_it_is_best_of_all_starts(validation, monkeypatch, taste):
    monkeypatch.setattr(climb_module.time, "monotonic", lambda: clock.now)
    theirs = validation.users[validation.users % 2 == taste]

    found = climb(Elsewhere(taste=0), replace(validation, users=theirs), seconds=60)

    assert found.config.taste == taste
    assert found.preparing == 1_000
    assert len(found.ndcg) == len(theirs)


@pytest.mark.parametrize(("cells", "asked"), [(30 * 30, 80), (30 * 15, 1), (1, 1)])
def test_a_truncation_is_chosen_by_those_whose_items_are_few_enough(
    validation, monkeypatch, cells, asked
):
    monkeypatch.setattr(climb_module, "CUT_CELLS", cells)

    found = choose_form((EaseConfig(),), validation, 5, truncation=4)

    rows = np.flatnonzero(np.diff(found.cut.indptr))
    known = validation.known[validation.users[: found.asked]]
    assert found.asked >= asked
    assert rows.tolist() == np.unique(known.indices).tolist()
    assert found.asked == 1 or len(rows) <= max(1, cells // 30)


def test_the_first_form_stays_unless_another_is_measurably_better(validation):
    first = climb(EaseConfig(reg=10), validation, 0)
    noise = np.random.default_rng(1).normal(0, 0.1, len(first.ndcg))
    other = EaseConfig(reg=20)
    lucky = replace(first, config=other, ndcg=first.ndcg + noise - noise.mean() + 1e-3)
    better = replace(first, config=other, ndcg=first.ndcg + 0.2)

    assert first_of_the_best([first, lucky]) is first
    assert first_of_the_best([first, better]) is better


def test_the_chosen_form_is_fitted_cut_and_told_to_the_baselines(validation):
    found = choose_form((EaseConfig(), ItemknnConfig(neighbours=20)), validation, 5, truncation=4)

    assert np.diff(found.cut.indptr).max() <= 4
    assert [form.name for form in found.baselines] == ["itemknn", "ease"]
    best = {row["model"] for row in found.trials}
    assert {"ease", "itemknn"} <= best
