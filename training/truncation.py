"""Item–item weights cut to what serves: of each row the largest magnitudes, made a block at a time.

Plain arrays; it knows no closed form.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
import torch

BLOCK_CELLS = 16_000_000
"""Weights held at once: 64 MB."""


def truncate(weights: np.ndarray, k: int) -> sp.csr_matrix:
    """CSR [m, I] with the k largest |b_ij| of each row of `weights` [m, I]; all when k ≥ I."""
    count = weights.shape[1]
    if k >= count:
        return sp.csr_matrix(weights)
    # A fourth of the time of numpy's argpartition.
    found = torch.topk(torch.from_numpy(np.abs(weights)), k, sorted=False)
    kept = found.indices.sort(dim=1).values.numpy()
    values = np.take_along_axis(weights, kept, axis=1)
    indptr = np.arange(0, k * len(weights) + 1, k)
    matrix = sp.csr_matrix((values.ravel(), kept.ravel(), indptr), weights.shape)
    matrix.eliminate_zeros()
    return matrix


def truncate_rows(
    rows: Callable[[np.ndarray], np.ndarray], count: int, k: int, only: np.ndarray | None = None
) -> sp.csr_matrix:
    """CSR [I, I] of all `count` rows, or of those of `only` (ascending) with the others empty;
    `rows` makes the dense [m, I] of m of them."""
    wanted = np.arange(count) if only is None else only
    size = max(1, BLOCK_CELLS // count)
    blocks = np.split(wanted, range(size, len(wanted), size))
    found = sp.vstack([truncate(rows(block), k) for block in blocks], format="csr")
    lengths = np.zeros(count, found.indptr.dtype)
    lengths[wanted] = np.diff(found.indptr)
    indptr = np.concatenate([[0], lengths.cumsum()])
    return sp.csr_matrix((found.data, found.indices, indptr), (count, count))


def truncate_sparse(weights: sp.csr_matrix, k: int) -> sp.csr_matrix:
    """CSR with the k largest |b_ij| of each row of `weights`, which is never made dense."""
    lengths = np.diff(weights.indptr)
    chosen = np.ones(weights.nnz, bool)
    for row in np.flatnonzero(lengths > k):
        part = slice(weights.indptr[row], weights.indptr[row + 1])
        least = np.argpartition(np.abs(weights.data[part]), lengths[row] - k)[: lengths[row] - k]
        chosen[part][least] = False
    indptr = np.concatenate([[0], np.minimum(lengths, k).cumsum()])
    return sp.csr_matrix((weights.data[chosen], weights.indices[chosen], indptr), weights.shape)
