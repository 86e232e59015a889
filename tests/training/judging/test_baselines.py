import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.worlds import world_of
from training.closed_forms.ease import EaseConfig
from training.judging import baselines as module
from training.judging.baselines import baselines, popularity_scores

TWO_TASTES = sp.csr_matrix(
    np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 0]], np.float32)
)


def test_popularity_is_the_same_for_everybody():
    scores = popularity_scores(np.array([3.0, 1.0, 2.0]))(np.array([4, 9]))

    assert scores.tolist() == [[3, 1, 2], [3, 1, 2]]


@pytest.mark.parametrize("most", [20_000, 3])
def test_each_closed_form_ranks_the_unseen_item_of_ones_own_taste_first(monkeypatch, most):
    monkeypatch.setattr(module, "MAX_ITEMS", most)

    found = baselines(world_of(TWO_TASTES))

    assert list(found) == ["popularity", "itemknn", "ease" if most > 3 else "gfcf"]
    for name in list(found)[1:]:
        row = found[name](np.array([4]))[0]
        assert row[1] > max(row[2], row[3])


def test_of_whom_nothing_is_known_what_is_popular_comes_first():
    nobody = sp.csr_matrix((1, 4), dtype=np.float32)

    found = baselines(world_of(TWO_TASTES), nobody)

    for scores in found.values():
        assert scores(np.array([0])).tolist() == [[3, 2, 2, 2]]


def test_a_history_of_other_people_is_scored():
    told = sp.csr_matrix(np.array([[0, 0, 0, 1.0]], np.float32))

    found = baselines(world_of(TWO_TASTES), told, (EaseConfig(reg=1),))

    assert found["ease"](np.array([0]))[0].argmax() == 2
