"""ItemKNN: the cosine between two items' people, of each item's nearest."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.closed_form import ClosedFormConfig, Grid, ItemWeights
from training.truncation import truncate_sparse

BLOCK = 1_024
"""Items whose neighbours are held at once."""


class ItemknnConfig(ClosedFormConfig):
    """`neighbours`: kept of each item; `shrink`: added to the cosine's denominator."""

    name: ClassVar[str] = "itemknn"

    grid: ClassVar[Grid] = {"neighbours": (20, 50, 100, 200, 400), "shrink": (0, 2, 10, 50, 200)}

    neighbours: int = Field(default=100, ge=1, le=100_000)
    shrink: float = Field(default=10, ge=0, le=1_000_000)

    def fit(self, graph: sp.csr_matrix, prepared: None = None) -> "SparseWeights":
        """x_i·x_j / (|x_i||x_j| + shrink) of the columns x of `graph` [U, I], no item with itself.

        Aiolli 2013, "Efficient top-N recommendation for very large scale binary rated datasets".
        """
        turned = sp.csr_matrix(graph.T, dtype=np.float32)
        lengths = np.sqrt(np.asarray(turned.multiply(turned).sum(axis=1)).ravel())
        count = graph.shape[1]
        blocks = np.split(np.arange(count), range(BLOCK, count, BLOCK))
        return SparseWeights(
            sp.vstack([self._rows(turned, graph, lengths, block) for block in blocks], format="csr")
        )

    def _rows(
        self, turned: sp.csr_matrix, graph: sp.csr_matrix, lengths: np.ndarray, block: np.ndarray
    ) -> sp.csr_matrix:
        found = (turned[block] @ graph).tocoo()
        found.data /= lengths[block[found.row]] * lengths[found.col] + np.float32(self.shrink)
        found.data[block[found.row] == found.col] = 0
        rows = sp.csr_matrix(found, dtype=np.float32)
        rows.eliminate_zeros()
        return truncate_sparse(rows, self.neighbours)


class SparseWeights(ItemWeights):
    """CSR [I, I] float32, few entries a row."""

    def __init__(self, weights: sp.csr_matrix):
        self.weights = weights

    def scores(self, history: sp.csr_matrix) -> np.ndarray:
        """[B, I] float32 for `history` [B, I]."""
        return (history.astype(np.float32) @ self.weights).toarray()
