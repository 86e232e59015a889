"""Re-ranking: each dial does what it says, and nothing at 0."""

import numpy as np
import pytest
import scipy.sparse as sp
from pydantic import ValidationError

from training import reranking
from training.reranking import (
    Bounds,
    Candidates,
    Dials,
    draws,
    heaviest,
    kind_shares,
    miscalibration,
    relevant,
    reranked,
    shortlisted,
    taste_of,
)

N, K, SEED = 60, 10, 4


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    """Sixty candidates, half of them of the first of three categories, which nobody wants alone."""
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    vectors = np.abs(rng.normal(size=(N, 5)))
    members = np.zeros((N, 3), bool)
    members[np.arange(N), np.where(np.arange(N) < N // 2, 0, rng.integers(1, 3, N))] = True
    return Candidates(
        scores=np.sort(rng.random(N))[::-1],
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        popularity=rng.integers(0, 100, N).astype(float),
        draws=draws(1, np.arange(N)),
        kinds=kind_shares(members),
        taste=np.array([0.2, 0.5, 0.3]),
    )


def listed(candidates: Candidates, bounds: Bounds | None = None, **dials) -> list[int]:
    return reranked(candidates, Dials(**dials), K, bounds or Bounds.none(N)).tolist()


def test_dials_at_zero_leave_the_order_of_the_scores(candidates):
    assert listed(candidates) == list(range(K))


def test_diversity_is_maximal_marginal_relevance(candidates):
    worth = (candidates.scores - candidates.scores[-1]) / np.ptp(candidates.scores)
    chosen: list[int] = []
    for _ in range(K):
        near = [
            max((candidates.vectors[j] @ candidates.vectors[i] for i in chosen), default=0)
            for j in range(N)
        ]
        gains = 0.6 * worth - 0.4 * np.maximum(near, 0)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))

    assert listed(candidates, diversity=0.4) == chosen


def closeness(candidates: Candidates, places: list[int]) -> float:
    rows = candidates.vectors[places]
    return float((rows @ rows.T)[np.triu_indices(K, 1)].mean())


@pytest.mark.parametrize(
    ("dial", "measure"),
    [
        ("diversity", closeness),
        ("novelty", lambda c, places: np.log1p(c.popularity[places]).mean()),
        ("calibration", lambda c, places: miscalibration(c.taste, c.kinds[places])),
    ],
)
def test_the_further_a_dial_is_turned_the_more_it_buys(candidates, dial, measure):
    found = [measure(candidates, listed(candidates, **{dial: value})) for value in (0, 0.6, 1)]

    assert found[0] > found[1] > found[2]


def test_calibrated_lists_have_the_persons_categories_in_proportion(candidates):
    whole = listed(candidates, calibration=1)

    assert candidates.kinds[whole].sum(axis=0).tolist() == [2, 5, 3]
    # Of each category the best come first.
    for kind in range(3):
        of_kind = [place for place in whole if candidates.kinds[place, kind]]
        assert of_kind == np.flatnonzero(candidates.kinds[:, kind])[: len(of_kind)].tolist()


def test_without_a_taste_calibration_does_nothing(candidates):
    nobody = Candidates(**{**vars(candidates), "taste": np.zeros(3)})

    assert listed(nobody, calibration=1) == list(range(K))


def test_rotation_is_another_list_by_another_draw_and_the_same_by_the_same(candidates):
    other = Candidates(**{**vars(candidates), "draws": draws(2, np.arange(N))})

    assert listed(candidates, rotation=0.5) == listed(candidates, rotation=0.5)
    assert listed(candidates, rotation=0.5) != listed(other, rotation=0.5)
    assert listed(other, rotation=1) == np.argsort(-other.draws)[:K].tolist()


def test_draws_are_even_and_an_items_own():
    found = draws(7, np.arange(10_000))

    assert np.histogram(found, 10, (0, 1))[0] == pytest.approx(np.full(10, 1_000), abs=150)
    assert draws(7, np.array([5, 900])).tolist() == found[[5, 900]].tolist()
    assert np.abs(np.corrcoef(found, draws(8, np.arange(10_000)))[0, 1]) < 0.05


def test_fewer_items_rather_than_irrelevant_ones(candidates):
    least = candidates.scores[4] / candidates.scores[0]

    assert listed(candidates, min_relevance=round(least - 1e-6, 6)) == [0, 1, 2, 3, 4]
    assert set(listed(candidates, min_relevance=least - 1e-6, diversity=1)) == {0, 1, 2, 3, 4}
    assert relevant(np.array([-1.0, -2.0]), 0.1).tolist() == [False, False]
    assert relevant(np.array([-1.0, -2.0]), 0).tolist() == [True, True]


def test_a_group_has_its_share_at_each_length(candidates):
    members = np.zeros((N, 1), bool)
    members[40:, 0] = True
    bounds = Bounds(members, np.array([0.3]))

    for dials in ({}, {"diversity": 0.5}):
        places = listed(candidates, bounds, **dials)
        of_group = np.cumsum(members[places, 0])
        assert (of_group >= np.floor(0.3 * np.arange(1, K + 1))).all()
        assert len(set(places)) == K
    # The best of the group, and no more of them than its share.
    assert [p for p in listed(candidates, bounds) if p >= 40] == [40, 41, 42]


def test_a_share_that_cannot_be_kept_leaves_the_list_full(candidates):
    members = np.zeros((N, 1), bool)
    members[50] = True

    places = listed(candidates, Bounds(members, np.array([1.0])))

    assert places == [50, *range(K - 1)]


def test_the_best_of_each_group_are_among_those_chosen_from(monkeypatch):
    monkeypatch.setattr(reranking, "WIDTH", 5)
    members = np.zeros((100, 1), bool)
    members[[3, 60, 70, 80]] = True

    assert shortlisted(100, 3, members).tolist() == [*range(8), 60, 70]
    assert shortlisted(2, 3, members[:2]).tolist() == [0, 1]


def test_a_taste_is_the_weighted_share_of_categories():
    kinds = kind_shares(np.array([[True, True], [True, False], [False, False]]))

    assert kinds.tolist() == [[0.5, 0.5], [1, 0], [0, 0]]
    assert taste_of(np.array([1.0, 1.0, 5.0]), kinds).tolist() == [0.75, 0.25]
    assert taste_of(np.ones(1), kinds[2:]).tolist() == [0, 0]
    assert miscalibration(np.array([0.75, 0.25]), kinds[:2]) == pytest.approx(0)


def test_the_heaviest_of_a_history_are_capped_and_positive(monkeypatch):
    monkeypatch.setattr(reranking, "HEAVIEST", 2)
    row = sp.csr_matrix(np.array([[0, 0.5, -3, 9, 0.2]]))

    items, weights = heaviest(row, 1.0)

    assert (items.tolist(), weights.tolist()) == ([3, 1], [1.0, 0.5])


def test_nothing_to_choose_from_is_an_empty_list():
    nothing = Candidates(np.zeros(0), np.zeros((0, 5)), np.zeros(0), np.zeros(0))

    for dials in (Dials(), Dials(novelty=1, min_relevance=1, diversity=1)):
        assert reranked(nothing, dials, K, Bounds.none(0)).tolist() == []


@pytest.mark.parametrize(
    ("dials", "said"),
    [
        ({"diversity": 1.1}, "less than or equal to 1"),
        ({"novelty": float("nan")}, "finite"),
        ({"exposure": ["small"]}, "should match pattern"),
        ({"exposure": ["small:2"]}, "should match pattern"),
        ({"unheard_of": 0}, "Extra inputs"),
    ],
)
def test_a_dial_has_a_range(dials, said):
    with pytest.raises(ValidationError, match=said):
        Dials(**dials)


def test_only_dials_that_do_something_are_turned():
    assert Dials().turned() == []
    assert Dials(novelty=0.1, exposure=["small:0.25"]).turned() == ["novelty", "exposure"]
    assert Dials(exposure=["small:.25", "near:1"]).shares == {"small": 0.25, "near": 1.0}
