import numpy as np
import scipy.sparse as sp

from training.fold_in import fit_event_vectors


def test_is_the_ridge_regression_and_its_remainder(six_nodes):
    users = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    dense = six_nodes.toarray().astype(float)
    events = dense / np.sqrt(dense.sum(axis=1, keepdims=True))
    expected = np.linalg.solve(events.T @ events + 2 * np.eye(3), events.T @ users)

    z, residuals = fit_event_vectors(six_nodes, users, ridge=2.0)

    np.testing.assert_allclose(z, expected, atol=1e-4)
    np.testing.assert_allclose(events @ z + residuals, users, atol=1e-6)


def test_somebody_without_events_is_all_residual():
    graph = sp.csr_matrix(np.array([[1.0, 1.0], [0, 0]], np.float32))
    users = np.ones((2, 3), np.float32)

    z, residuals = fit_event_vectors(graph, users)

    assert np.isfinite(z).all()
    np.testing.assert_allclose(residuals[1], users[1])
