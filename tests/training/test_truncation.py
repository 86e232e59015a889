import numpy as np
import scipy.sparse as sp

from training import truncation
from training.truncation import truncate, truncate_rows, truncate_sparse


def test_truncation_keeps_the_largest_magnitudes_of_each_row():
    weights = np.array([[0, 0.1, -0.5, 0.2], [0.3, 0, 0.1, -0.2]], np.float32)

    kept = truncate(weights, 2).toarray()

    assert np.array_equal(kept, np.array([[0, 0, -0.5, 0.2], [0.3, 0, 0, -0.2]], np.float32))
    assert np.array_equal(truncate(weights, 9).toarray(), weights)


def test_rows_made_in_blocks_are_those_of_the_whole(monkeypatch):
    weights = np.random.default_rng(1).normal(size=(10, 10)).astype(np.float32)
    monkeypatch.setattr(truncation, "BLOCK_CELLS", 30)
    sizes = []

    def rows(block: np.ndarray) -> np.ndarray:
        sizes.append(len(block))
        return weights[block]

    found = truncate_rows(rows, 10, 4)

    assert (found != truncate(weights, 4)).nnz == 0
    assert sizes == [3, 3, 3, 1]

    some = truncate_rows(rows, 10, 4, np.array([1, 5, 6, 9])).toarray()

    assert np.array_equal(some[[1, 5, 6, 9]], found.toarray()[[1, 5, 6, 9]])
    assert not some[[0, 2, 3, 4, 7, 8]].any()
    assert sizes[4:] == [3, 1]


def test_sparse_rows_keep_what_dense_ones_do():
    generator = np.random.default_rng(2)
    dense = generator.normal(size=(30, 20)).astype(np.float32)
    dense[generator.random(dense.shape) < generator.random(30)[:, None]] = 0

    for k in (1, 4, 30):
        assert (truncate_sparse(sp.csr_matrix(dense), k) != truncate(dense, k)).nnz == 0
