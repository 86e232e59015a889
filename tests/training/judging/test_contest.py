"""A recipe beside the baselines: nobody is told what is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.recipes import QUICK
from training.data import Interactions, interactions
from training.errors import EmptySplitError
from training.fitted import Fitted
from training.judging.assessment import Assessment
from training.judging.contest import alone, fitted_scores, judge_fitted, point_figures
from training.search.recipe import fit
from training.splits import split
from training.world import World


@pytest.fixture(scope="module")
def data() -> Interactions:
    """60 users of two tastes, 40 items."""
    generator = np.random.default_rng(2)
    users = np.repeat(np.arange(60), 12)
    items = generator.integers(0, 20, len(users)) * 2 + users % 2
    return interactions(users, items, 60, 40, at=generator.permutation(len(users)))


def fitted_to(part: Interactions) -> Fitted:
    return fit(World(part), QUICK, seed=1)


def test_the_default_stands_first_beside_its_half_and_the_baselines(data):
    parts = split(data, "time", 0.2, 1)

    assessment = Assessment(World(data), parts, 1, (5, 10))

    judgement = judge_fitted(assessment, fitted_to(parts.train))

    names = [judged.name for judged in judgement.models]
    assert names[:2] == ["default", "lightgcn"]
    assert {"popularity", "ease"} <= set(names)
    figures = point_figures(judgement)
    assert figures["default"]["ndcg@10"] > figures["popularity"]["ndcg@10"]
    assert judgement.cutoffs == [5, 10]


def test_where_nothing_is_asked_for_there_is_no_judgement(data):
    parts = split(data, "latest", 0.2, 1)
    nothing = replace(parts, test=parts.test.take(parts.test.weight < 0))

    with pytest.raises(EmptySplitError, match="no positive event to ask for"):
        judge_fitted(Assessment(World(data), nothing, 1), fitted_to(parts.train))
    assert point_figures(None) == {}


def test_people_held_out_whole_are_scored_by_their_events_alone(data):
    parts = split(data, "users", 0.2, 1)
    fitted = fitted_to(parts.train)
    assert fitted.residuals is not None
    noise = replace(fitted, residuals=np.where(parts.held_users[:, None], 9, fitted.residuals))
    held, others = np.flatnonzero(parts.held_users), np.flatnonzero(~parts.held_users)

    folded = fitted_scores(noise, parts)(held)

    assert np.array_equal(folded, fitted.scorer.scores(parts.history.history()[held]))
    assert np.array_equal(
        fitted_scores(noise, parts)(others),
        fitted.scorer.scores(parts.history.history()[others], fitted.residuals[others]),
    )


def test_the_graph_half_alone_has_no_item_weights(data):
    fitted = fitted_to(data)

    assert fitted.scorer.blend > 0
    assert alone(fitted).scorer.blend == 0
