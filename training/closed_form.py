"""What the recipe asks of any closed form: settings that fit item–item weights to a graph.

One file each, in training.closed_forms; plain arrays, no torch models.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from training.named import Named


class ItemWeights(ABC):
    """Fitted item–item weights b: row = the event's item, column = the candidate."""

    @abstractmethod
    def scores(self, history: sp.csr_matrix) -> np.ndarray:
        """Σ_i a_i b_ij of the whole matrix, not truncated: [B, I] float32 for `history` [B, I].

        Only of items outside the row's history: b_ii is left to the form.
        """

    @abstractmethod
    def truncated(self, k: int) -> sp.csr_matrix:
        """CSR [I, I] float32 with the k largest |b_ij| of each row; all of them when k ≥ I."""


class ClosedFormConfig(Named):
    """A closed form's settings; subclass it in its file."""

    room: ClassVar[str] = "training.closed_forms"
    noun: ClassVar[str] = "closed form"

    @abstractmethod
    def fit(self, graph: sp.csr_matrix) -> ItemWeights:
        """Fit to `graph` [U, I], positive weights. Raises CatalogueTooLargeError."""
