import numpy as np
import pytest
import scipy.sparse as sp

from training.closed_forms import ease
from training.closed_forms.ease import Ease
from training.errors import CatalogueTooLargeError


@pytest.mark.parametrize("block", [5, 1_024])
def test_each_column_solves_its_ridge_regression_without_itself(checkerboard, monkeypatch, block):
    monkeypatch.setattr(ease, "BLOCK", block)
    kept = np.random.default_rng(1).random(checkerboard.shape) < 0.5
    matrix = (checkerboard * kept)[:, :12].astype(np.float64)
    reg = 3.0

    weights = Ease(sp.csr_matrix(matrix)).weights(reg)

    for column in range(12):
        others = np.delete(matrix, column, axis=1)
        gram = others.T @ others + reg * np.eye(11)
        expected = np.linalg.solve(gram, others.T @ matrix[:, column])
        np.testing.assert_allclose(np.delete(weights[:, column], column), expected, atol=1e-6)
    assert not weights.diagonal().any()


def test_a_catalogue_too_large_is_refused_with_the_limit():
    too_many = sp.csr_matrix((1, ease.MAX_ITEMS + 1), dtype=np.float32)

    with pytest.raises(CatalogueTooLargeError, match="20,001 items are more than the 20,000"):
        Ease(too_many)


def test_one_item_has_no_neighbours():
    assert Ease(sp.csr_matrix(np.ones((1, 1), np.float32))).weights(500).tolist() == [[0]]
