import numpy as np
import scipy.sparse as sp

from training.closed_forms.gfcf import GfcfConfig


def test_is_a_linear_hop_and_the_projection_on_the_first_vectors():
    graph = sp.csr_matrix((np.random.default_rng(2).random((80, 20)) < 0.4).astype(np.float32))
    users, items = (np.asarray(graph.sum(axis=axis)).ravel() ** -0.5 for axis in (1, 0))
    matrix = users[:, None] * graph.toarray() * items
    right = np.linalg.svd(matrix)[2][:4].T
    projected = ((graph.toarray() * items) @ right @ right.T) / items
    expected = graph @ (matrix.T @ matrix) + 0.3 * projected

    found = GfcfConfig(vectors=4).fit(graph).scores(graph)

    np.testing.assert_allclose(found, expected, atol=0.02)
