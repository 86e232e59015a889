import numpy as np
import pytest
import scipy.sparse as sp

from training.spectrum import Filter, Spectrum, normalised

DEGREE_POWERS = (0.4, 0.5)


@pytest.fixture
def graph() -> sp.csr_matrix:
    """60 × 30 with an item and a user without edges."""
    kept = np.random.default_rng(1).random((60, 30)) < 0.2
    kept[:, 7] = kept[3] = False
    return sp.csr_matrix(kept.astype(np.float32))


def test_singular_values_and_vectors_are_those_of_the_dense_decomposition(graph):
    _, values, right = np.linalg.svd(normalised(graph).toarray(), full_matrices=False)

    found = Spectrum.of(graph, 8)

    np.testing.assert_allclose(found.values, values[:8], atol=1e-2)
    assert np.abs(np.sum(found.right[:, :3] * right[:3].T, axis=0)).min() > 0.99


def test_more_vectors_than_there_are_is_all_of_them(graph):
    assert len(Spectrum.of(graph, 500).values) == 30


def test_a_filter_scores_by_its_dense_formula(graph):
    gram = normalised(graph).T.toarray() @ normalised(graph).toarray()
    degree = np.asarray(graph.sum(axis=0)).ravel()
    degree[degree == 0] = 1
    right = Spectrum.of(graph, 5).right
    gains = np.array([0.5, 0.4, 0.3, 0.2, 0.1])
    beta, gamma = DEGREE_POWERS
    weights = _between(0.1 * np.eye(30) + 0.7 * gram - 0.2 * gram @ gram, degree**beta)
    weights += _between(right @ np.diag(gains) @ right.T, degree**gamma)

    found = Filter(graph, np.array([0.1, 0.7, -0.2]), right, gains, beta, gamma)

    history = graph[:6] * np.float32(0.5)
    np.testing.assert_allclose(found.scores(history), history @ weights, atol=1e-5)
    np.fill_diagonal(weights, 0)
    np.testing.assert_allclose(found.truncated(30, 30).toarray(), weights, atol=1e-5)


def _between(matrix: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return matrix / scale[:, None] * scale
