import numpy as np
import pytest
import scipy.sparse as sp

from training.closed_forms.ease import EaseConfig
from training.data import interactions
from training.scorer import Scorer
from training.search import selection
from training.search.selection import BLENDS, Blended, Validation, choose_blend, choose_truncation
from training.splits import latest_split


def two_tastes(met: int) -> Validation:
    """Two tastes of 15 items each; everybody met as many of theirs, and a fifth is held out."""
    generator = np.random.default_rng(1)
    users = np.repeat(np.arange(80), met)
    items = np.concatenate([generator.permutation(15)[:met] + 15 * (u % 2) for u in range(80)])
    part, held = latest_split(interactions(users, items, 80, 30), 0.2, seed=1)
    return Validation.of(part, held, seed=1)


def scorer_of(vectors: np.ndarray) -> Scorer:
    nothing = sp.csr_matrix((30, 30), dtype=np.float32)
    return Scorer(vectors, vectors, nothing, 0.0)


def unit_noise() -> np.ndarray:
    noise = np.random.default_rng(2).normal(size=(30, 8)).astype(np.float32)
    return noise / np.linalg.norm(noise, axis=1, keepdims=True)


@pytest.mark.parametrize(("each", "asked"), [(1, 30), (10, 12)])
def test_more_people_are_asked_where_they_have_few_entries(monkeypatch, each, asked):
    monkeypatch.setattr(selection, "VALIDATION_USERS", 12)
    monkeypatch.setattr(selection, "VALIDATION_ENTRIES", 30)
    users, items = np.repeat(np.arange(50), each), np.tile(np.arange(each), 50)
    held = interactions(users, items, 50, 10)

    validation = Validation.of(held, held, seed=1)

    assert len(set(validation.users.tolist())) == len(validation.users) == asked


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_meaningless_graph_half_is_outvoted_whatever_the_weights_scale(scale):
    validation = two_tastes(met=10)
    weights = EaseConfig(reg=5).fit(validation.graph)
    before = validation.served(scorer_of(unit_noise()), None).mean()

    found = choose_blend(
        validation, scorer_of(unit_noise()), None, lambda a: weights.scores(a) * np.float32(scale)
    )

    assert found.units > 1
    assert found.ndcg.mean() > before + 0.2


def test_the_best_blend_is_that_of_the_score_that_serves():
    validation = two_tastes(met=10)
    weights = EaseConfig(reg=5).fit(validation.graph).truncated(5, 30)

    found = choose_blend(
        validation, scorer_of(unit_noise()), None, lambda a: (a @ weights).toarray()
    )

    served = Scorer(unit_noise(), unit_noise(), weights, found.blend)
    assert validation.served(served, None).mean() == pytest.approx(found.ndcg.mean(), abs=1e-6)


@pytest.mark.parametrize("truncations", [(2, 20), (20, 25)])
def test_the_smallest_truncation_that_costs_nothing_is_taken(truncations):
    """Who met two of 15 items needs the other 13: 20 neighbours hold them, 2 do not."""
    tried = truncations_tried(truncations)

    assert tried == [k for k in truncations if k <= 20]


def test_what_may_by_chance_cost_nothing_is_not_taken(monkeypatch):
    monkeypatch.setattr(selection, "LOSS", -1)  # nothing is as good as that

    assert truncations_tried((2, 20, 25)) == [2, 20, 25]

    monkeypatch.setattr(selection, "KEPT_ANYWAY", 20)
    assert truncations_tried((2, 20, 25)) == [2, 20]
    assert truncations_tried((25, 29)) == [25]


def truncations_tried(truncations: tuple[int, ...]) -> list[int]:
    validation = two_tastes(met=3)
    nothing = scorer_of(np.zeros((30, 8), np.float32))
    weights = EaseConfig(reg=10).fit(validation.graph)
    whole = choose_blend(validation, nothing, None, weights.scores)
    k, _, trials = choose_truncation(
        validation, nothing, None, whole, weights.truncated(30, 30), truncations
    )
    tried = [row["truncation"] for row in trials]
    assert k == tried[-1]
    return tried


@pytest.mark.parametrize(("place", "within"), [(0, (0, 2)), (8, (6, 10)), (16, (14, 16))])
def test_near_another_blend_two_steps_either_way_are_tried(place, within):
    validation = two_tastes(met=3)
    nothing = scorer_of(np.zeros((30, 8), np.float32))
    weights = EaseConfig(reg=10).fit(validation.graph)
    near = Blended(1.0, np.zeros(0), float(BLENDS[place]))

    found = choose_blend(validation, nothing, None, weights.scores, near)

    # Without a graph half any λ is as good: the middle of those that were tried.
    assert found.units == BLENDS[sum(within) // 2]


def test_the_unit_of_a_blend_is_the_ratio_of_spreads_whatever_the_scale():
    validation = two_tastes(met=10)
    weights = EaseConfig(reg=5).fit(validation.graph)
    known = validation.known

    def scores(users: np.ndarray) -> np.ndarray:
        return weights.scores(known[users])

    ndcg, ratio = validation.blended(scores, lambda users: 4 * scores(users), np.array([0.5, 1]))

    assert ratio == pytest.approx(0.25)
    assert ndcg == pytest.approx(np.stack(2 * [validation.measure(weights)]), abs=1e-6)
    nothing = validation.blended(scores, lambda users: 0 * scores(users), np.array([1]))
    assert nothing[1] == 1


def test_users_without_held_out_items_are_not_asked():
    part, held = latest_split(interactions(np.arange(5), np.arange(5), 5, 5), 0.1, seed=1)

    assert len(Validation.of(part, held, seed=1).users) == 0
