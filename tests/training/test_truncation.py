import numpy as np

from training import truncation
from training.truncation import truncate, truncate_rows


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
