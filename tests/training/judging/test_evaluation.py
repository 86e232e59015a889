import numpy as np
import pytest
import scipy.sparse as sp

from training.errors import DivergedError
from training.judging import evaluation
from training.judging.evaluation import rank


def csr(rows) -> sp.csr_matrix:
    return sp.csr_matrix(np.array(rows, np.float32))


def test_metrics_of_two_users_by_hand():
    scores = np.array([[5, 4, 3, 2, 1], [1, 2, 3, 4, 5]], np.float32)
    known = csr([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    test = csr([[0, 0, 1, 0, 1], [0, 0, 0, 0, 1]])

    found = rank(lambda users: scores[users], known, test, k=2).metrics()

    # User 0 is shown items 1, 2 and hits the second; user 1 is shown 4, 3 and hits the first.
    ideal_of_two = 1 + 1 / np.log2(3)
    assert found == {
        "precision@2": 0.5,
        "recall@2": pytest.approx((0.5 + 1) / 2),
        "f1@2": pytest.approx((0.5 + 2 / 3) / 2),
        "ndcg@2": pytest.approx((1 / np.log2(3) / ideal_of_two + 1) / 2),
        "mrr@2": pytest.approx((0.5 + 1) / 2),
        "map@2": pytest.approx((0.5 / 2 + 1) / 2),
        "hit_rate@2": 1.0,
    }


def test_batches_of_users_change_nothing(monkeypatch):
    generator = np.random.default_rng(1)
    scores = generator.random((23, 9), dtype=np.float32)
    test = csr(generator.random((23, 9)) < 0.3)
    known = csr((generator.random((23, 9)) < 0.3) & ~test.toarray().astype(bool))

    whole = rank(lambda users: scores[users], known, test, k=4).metrics()
    monkeypatch.setattr(evaluation, "BATCH_CELLS", 20)

    assert rank(lambda users: scores[users], known, test, k=4).metrics() == whole


def test_fewer_items_than_k_is_no_trouble():
    found = rank(lambda users: np.ones((1, 1), np.float32), csr([[0]]), csr([[1]])).metrics()

    assert (found["ndcg@10"], found["precision@10"]) == (1.0, 0.1)


def test_a_score_that_is_not_a_number_is_refused():
    with pytest.raises(DivergedError, match="NaN"):
        rank(lambda users: np.full((1, 2), np.nan, np.float32), csr([[0, 0]]), csr([[0, 1]]))
