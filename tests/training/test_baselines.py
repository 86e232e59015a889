import numpy as np
import scipy.sparse as sp

from training.baselines import ease_scores, popularity_scores


def test_popularity_is_the_same_for_everybody():
    scores = popularity_scores(np.array([3.0, 1.0, 2.0]))(np.array([4, 9]))

    assert scores.tolist() == [[3, 1, 2], [3, 1, 2]]


def test_ease_ranks_the_unseen_item_of_ones_own_taste_first():
    graph = sp.csr_matrix(
        np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]], np.float32)
    )

    scores = ease_scores(graph, reg=1.0)(np.array([3]))[0]

    assert scores[1] > max(scores[2], scores[3])
