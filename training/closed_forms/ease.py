"""EASE, the closed-form item–item model; plain arrays only."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from pydantic import Field
from scipy.linalg import get_lapack_funcs

from training.closed_form import ClosedFormConfig, Grid, ItemWeights
from training.errors import CatalogueTooLargeError
from training.named import Search, Span

MAX_ITEMS = 20_000
"""The inverse is cubic in items: 3,000 are instant, 20,000 take minutes and 5 GB."""

BLOCK = 1_024
"""Items whose sums are held twice."""


class EaseConfig(ClosedFormConfig):
    """`reg`: the ridge's λ; 500 to 1,000 on dense data, 10 to 200 on sparse."""

    name: ClassVar[str] = "ease"

    most_items: ClassVar[int | None] = MAX_ITEMS
    search: ClassVar[Search] = {"reg": Span(5, 5_000, log=True)}
    grid: ClassVar[Grid] = {"reg": (5, 10, 20, 50, 100, 200, 350, 500, 700, 1000, 2000)}

    reg: float = Field(default=500, gt=0, le=1_000_000)

    def prepare(self, graph: sp.csr_matrix) -> "Ease":
        """The checked interactions. Raises CatalogueTooLargeError beyond MAX_ITEMS."""
        return Ease(graph)

    def fit(self, graph: sp.csr_matrix, prepared: "Ease | None" = None) -> "DenseWeights":
        """Fit to `graph` [U, I]. Raises CatalogueTooLargeError beyond MAX_ITEMS."""
        return DenseWeights((prepared or Ease(graph)).weights(self.reg))


class DenseWeights(ItemWeights):
    """A matrix [I, I] float32 in memory."""

    def __init__(self, weights: np.ndarray):
        self.weights = weights

    def scores(self, history: sp.csr_matrix) -> np.ndarray:
        """[B, I] float32 for `history` [B, I]."""
        return history.astype(np.float32) @ self.weights


class Ease:
    """EASE (Steck 2019): B = I - P diag(P)^-1 with P = (XᵀX + reg·I)^-1, so diag(B) = 0.

    All is done in the memory of one matrix in double precision: the Gram matrix is made anew for
    each `weights(reg)`, which takes a small part of its inversion's time.
    """

    def __init__(self, graph: sp.csr_matrix):
        """`graph`: X, [U, I] CSR. Raises CatalogueTooLargeError beyond MAX_ITEMS."""
        if graph.shape[1] > MAX_ITEMS:
            raise CatalogueTooLargeError(
                f"EASE inverts a matrix of items × items: {graph.shape[1]:,} items are more than"
                f" the {MAX_ITEMS:,} it can take; train without it"
            )
        self.columns = sp.csc_matrix(graph, dtype=np.float64)

    def weights(self, reg: float) -> np.ndarray:
        """B [I, I] float32, row = the event's item, column = the candidate."""
        count = self.columns.shape[1]
        blocks = [slice(first, first + BLOCK) for first in range(0, count, BLOCK)]
        inverse = np.empty((count, count), order="F")
        turned = self.columns.T.tocsr()
        for block in blocks:
            inverse[:, block] = (turned @ self.columns[:, block]).toarray()
        inverse[np.diag_indices(count)] += reg
        potrf, potri = get_lapack_funcs(("potrf", "potri"), [inverse])
        factor, _ = potrf(inverse, overwrite_a=True, clean=False)
        inverse, _ = potri(factor, overwrite_c=True)
        # Only what is on and above the diagonal is the inverse's.
        weights = np.empty((count, count), np.float32)
        for block in blocks:
            above = inverse[: block.stop, block]
            weights[: block.stop, block] = above
            weights[block, : block.stop] = above.T
            own = inverse[block, block]
            weights[block, block] = np.triu(own) + np.triu(own, 1).T
        weights /= -np.diag(inverse).astype(np.float32)
        np.fill_diagonal(weights, 0)
        return weights
