import numpy as np

from tests.training.recipes import QUICK
from training.data import interactions
from training.fitted import refit, untruncated_scores
from training.judging.evaluation import scorer_scores
from training.running.loop import silent
from training.search.recipe import search
from training.world import World


def world() -> World:
    """20 users and 25 items; the even users meet even items."""
    users, items = np.random.default_rng(1).integers(0, [20, 12], (300, 2)).T
    return World(interactions(users, 2 * items + users % 2, 20, 25))


def test_frozen_settings_give_the_same_scores_each_time():
    settings = search(world(), QUICK, seed=1, report=silent)

    first, again = (refit(world(), settings, seed=1) for _ in range(2))

    history = world().interactions.history()
    scores = [each.scorer.scores(history, each.residuals) for each in (first, again)]
    assert np.array_equal(*scores)


def test_it_begins_where_it_is_told():
    settings = search(world(), QUICK, seed=1, report=silent)
    fitted = refit(world(), settings, seed=1)
    model = settings.model.build(world(), seed=1)
    start = {name: 2 * value for name, value in model.state_dict().items()}

    moved = refit(world(), settings, seed=1, start=start)

    assert not np.array_equal(fitted.weights["item_embedding"], moved.weights["item_embedding"])


def test_untruncated_scores_are_those_that_serve_where_nothing_is_cut():
    """25 items, and up to 20 neighbours each: few weights are lost."""
    fitted = refit(world(), search(world(), QUICK, seed=1, report=silent), seed=1)
    known = fitted.world.interactions.history()
    users = np.arange(20)

    served = scorer_scores(fitted.scorer, known, fitted.residuals, np.zeros(25, np.float32))(users)
    whole = untruncated_scores(fitted)(users)

    assert fitted.whole is not None
    assert np.corrcoef(served.ravel(), whole.ravel())[0, 1] > 0.9
