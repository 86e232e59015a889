import numpy as np
import pytest
import scipy.sparse as sp
import torch

from training.neighbours import NeighbourSampler

MATRIX = sp.csr_matrix(np.array([[0, 1.0, 0.25, 0.75], [0, 0, 0, 0], [2.0, 0, 0, 0]], np.float32))


def test_neighbours_are_drawn_in_proportion_to_their_weights():
    columns, _ = NeighbourSampler(MATRIX).draw(
        torch.tensor([0, 2]), 20_000, torch.Generator().manual_seed(1)
    )

    shares = np.bincount(columns[0], minlength=4) / 20_000
    np.testing.assert_allclose(shares, [0, 0.5, 0.125, 0.375], atol=0.015)
    assert not columns[1].any()


def test_a_row_without_entries_says_so():
    rows = torch.tensor([1, 0, 1])
    columns, known = NeighbourSampler(MATRIX).draw(rows, 3, torch.Generator().manual_seed(1))

    assert known.tolist() == [False, True, False]
    assert not columns[[0, 2]].any()


@pytest.mark.parametrize("shape", [(2, 3), (1, 1)])
def test_a_graph_without_entries_has_nobody_to_draw(shape):
    sampler = NeighbourSampler(sp.csr_matrix(shape, dtype=np.float32))

    columns, known = sampler.draw(torch.tensor([0]), 2, torch.Generator().manual_seed(1))

    assert columns.tolist() == [[0, 0]]
    assert known.tolist() == [False]


def test_only_entries_are_ever_drawn_from_a_long_matrix():
    matrix = sp.random_array((500, 300), density=0.02, rng=np.random.default_rng(1), format="csr")
    rows = torch.arange(500)

    columns, known = NeighbourSampler(matrix).draw(rows, 50, torch.Generator().manual_seed(1))

    found = matrix.toarray()[rows[known, None], columns[known]]
    assert (found > 0).all()
    assert np.array_equal(known, np.diff(matrix.indptr) > 0)
