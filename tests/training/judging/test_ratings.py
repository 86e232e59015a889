"""Scores as ratings: the line is least squares on what is known, the errors are scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from training.data import interactions
from training.judging.evaluation import rank
from training.judging.ratings import RatedScores, Ratings
from training.world import Events

USERS, ITEMS = 20, 15


@pytest.fixture
def drawn() -> tuple[np.ndarray, Ratings]:
    """Scores [20, 15] and values of about 90 known and 60 test pairs that follow them."""
    generator = np.random.default_rng(1)
    scores = generator.random((USERS, ITEMS)).astype(np.float32)
    values = np.round(1 + 4 * scores + generator.normal(0, 0.5, scores.shape))
    part = generator.random(scores.shape)
    known, test = ((low <= part) & (part < high) for low, high in ((0, 0.3), (0.3, 0.5)))
    parts = (sp.csr_matrix(np.where(mask, values, 0).astype(np.float32)) for mask in (known, test))
    return scores, Ratings(*parts)


def errors(scores, ratings: Ratings):
    rated = RatedScores(lambda users: scores[users].copy(), ratings)
    ranking = rank(rated, ratings.known, ratings.test, 5)
    return ranking.users, rated.errors(ranking.users)


def test_mae_and_rmse_of_the_least_squares_line_are_scikit_learns(drawn):
    scores, ratings = drawn

    users, found = errors(scores, ratings)

    known, test = ratings.known[users].tocoo(), ratings.test[users].tocoo()
    line = LinearRegression().fit(scores[users][known.row, known.col][:, None], known.data)
    predicted = line.predict(scores[users][test.row, test.col][:, None])
    predicted = np.clip(predicted, known.data.min(), known.data.max())
    mae, rmse = found["mae"], found["rmse"]
    assert mae.total.sum() / mae.count.sum() == pytest.approx(
        mean_absolute_error(test.data, predicted), abs=1e-5
    )
    assert np.sqrt(rmse.total.sum() / rmse.count.sum()) == pytest.approx(
        root_mean_squared_error(test.data, predicted), abs=1e-5
    )


def test_scores_that_say_nothing_predict_the_mean(drawn):
    _, ratings = drawn

    users, found = errors(np.ones((USERS, ITEMS), np.float32), ratings)

    mean = ratings.known[users].data.mean()
    assert found["mae"].total.sum() == pytest.approx(np.abs(ratings.test.data - mean).sum(), 1e-5)


def events_of(rows) -> Events:
    user, item, value, at = (np.array(column) for column in zip(*rows, strict=True))
    weight = np.ones(len(rows), np.float32)
    kinds = np.zeros(len(rows), np.int8)
    return Events(user, item, kinds, value.astype(float), at, weight, ("RATED",))


def test_values_are_the_latest_of_each_pair_and_pairs_without_one_have_none():
    events = events_of([(0, 0, 2.0, 1), (0, 0, 4.0, 5), (0, 1, np.nan, 2), (1, 2, 3.0, 3)])
    known, test = (
        interactions(np.array(u), np.array(i), 2, 3) for u, i in (([0, 0], [0, 1]), ([1], [2]))
    )

    found = Ratings.of(events, known, test)

    assert found is not None
    assert found.known.toarray().tolist() == [[4, 0, 0], [0, 0, 0]]
    assert found.test.toarray().tolist() == [[0, 0, 0], [0, 0, 3]]


def test_without_values_there_are_no_errors_to_speak_of():
    events = events_of([(0, 0, np.nan, 1), (0, 1, 3.0, 2)])
    known, test = (interactions(np.array([0]), np.array([item]), 1, 2) for item in (0, 1))

    assert Ratings.of(events, known, test) is None
    assert Ratings.of(None, known, test) is None
