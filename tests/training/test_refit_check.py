"""What a refit may not be."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.recipes import QUICK
from training.data import Interactions, interactions
from training.errors import DivergedError
from training.fitted import Fitted, refit
from training.refit_check import RefitError, check_refit, overlap
from training.search.recipe import fit
from training.splits import latest_split
from training.world import World

USERS, ITEMS = 60, 200


@pytest.fixture(scope="module")
def data() -> Interactions:
    """Users of ten tastes, 20 items to each."""
    generator = np.random.default_rng(5)
    users = np.repeat(np.arange(USERS), 12)
    items = generator.integers(0, ITEMS // 10, len(users)) * 10 + users % 10
    return interactions(users, items, USERS, ITEMS, at=generator.permutation(len(users)))


@pytest.fixture(scope="module")
def fits(data) -> tuple[Fitted, Fitted]:
    """The recipe without the latest fifth of each user, and its refit on everything."""
    judged = fit(World(latest_split(data, 0.2, 1)[0]), QUICK, seed=1)
    return judged, refit(World(data), judged.settings, seed=1)


def with_scorer(fitted: Fitted, **changes) -> Fitted:
    return replace(fitted, scorer=replace(fitted.scorer, **changes))


def test_a_refit_of_the_same_recipe_passes(fits):
    check_refit(*fits, seed=1)

    shared = overlap(*fits, seed=1)
    assert shared is not None and shared > 0.5
    assert overlap(fits[0], fits[0], seed=1) == 1


def test_lists_of_other_items_are_refused_with_how_many_are_the_same(fits):
    judged, final = fits
    rows = np.random.default_rng(1).permutation(ITEMS)
    v, similar = final.scorer.item_vectors[rows], final.scorer.similar[:, rows]
    mixed = with_scorer(final, item_vectors=v, similar=similar)

    with pytest.raises(RefitError, match=r"\d+% of the first 20 are the same, expected at least"):
        check_refit(judged, mixed, seed=1)


@pytest.mark.parametrize("name", ["item_vectors", "event_vectors"])
def test_a_row_too_few_is_refused_by_its_name(name, fits):
    judged, final = fits
    cut = with_scorer(final, **{name: getattr(final.scorer, name)[1:]})

    with pytest.raises(RefitError, match=rf"{name} are \(199, 64\), expected \(200, 64\)"):
        check_refit(judged, cut, seed=1)


def test_residuals_of_others_are_refused(fits):
    judged, final = fits
    assert final.residuals is not None

    with pytest.raises(RefitError, match=r"residuals are \(59, 64\), expected \(60, 64\)"):
        check_refit(judged, replace(final, residuals=final.residuals[1:]), seed=1)


def test_vectors_that_are_not_finite_are_refused(fits):
    judged, final = fits
    broken = final.scorer.item_vectors.copy()
    broken[3, 5] = np.nan

    with pytest.raises(DivergedError, match="not finite"):
        check_refit(judged, with_scorer(final, item_vectors=broken), seed=1)


def test_a_few_people_say_nothing(data):
    few = data.take(data.user_index < 10)
    judged = fit(World(few), QUICK, seed=1)

    assert overlap(judged, judged, seed=1) is None
