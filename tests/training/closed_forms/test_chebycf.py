import numpy as np
import pytest
import scipy.sparse as sp

from training.closed_forms.chebycf import ChebycfConfig


@pytest.fixture
def graph() -> sp.csr_matrix:
    return sp.csr_matrix((np.random.default_rng(2).random((80, 20)) < 0.4).astype(np.float32))


def dense(graph: sp.csr_matrix, config: ChebycfConfig) -> np.ndarray:
    """[I, I] by full decomposition."""
    users, items = (np.asarray(graph.sum(axis=axis)).ravel() for axis in (1, 0))
    matrix = users[:, None] ** -0.5 * graph.toarray() * items**-0.5
    values, vectors = np.linalg.eigh(matrix.T @ matrix)
    gains = config.response()(values)
    gains[-config.vectors :] += config.alpha
    scale = items**config.beta
    return (vectors * gains) @ vectors.T / scale[:, None] * scale


@pytest.mark.parametrize("vectors", [4, 20])
@pytest.mark.parametrize(("phi", "beta"), [(1.5, 0.4), (10, 0)])
def test_is_its_filter_of_the_whole_spectrum(graph, vectors, phi, beta):
    """With 4 of 20 vectors the remainder is a polynomial's."""
    config = ChebycfConfig(vectors=vectors, phi=phi, beta=beta)

    found = config.fit(graph).scores(graph)

    outside = graph.toarray() == 0
    expected = graph @ dense(graph, config)
    np.testing.assert_allclose(found[outside], expected[outside], atol=0.05)
    assert np.corrcoef(found[outside], expected[outside])[0, 1] > 0.999


def test_the_filter_is_a_plateau_that_falls_to_nothing():
    found = ChebycfConfig(order=8, phi=3).response()(np.array([0, 0.3, 0.5, 0.7, 1]))

    np.testing.assert_allclose(found, [0, 0.468, 0.5, 0.532, 1], atol=0.03)
