"""What the recipe asks of any closed form: settings that fit item–item weights to a graph.

One file each, in training.closed_forms; plain arrays, no torch models.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from training.named import Named
from training.truncation import truncate_rows

Grid = Mapping[str, tuple[Any, ...]]
"""By field, the values worth trying in order."""


class ItemWeights(ABC):
    """Fitted item–item weights b: row = the event's item, column = the candidate."""

    @abstractmethod
    def scores(self, history: sp.csr_matrix) -> np.ndarray:
        """Σ_i a_i b_ij of the whole matrix, not truncated: [B, I] float32 for `history` [B, I].

        Only of items outside the row's history: b_ii is left to the form.
        """

    def rows(self, items: np.ndarray, count: int) -> np.ndarray:
        """b of the rows `items` [m] of `count`: [m, I] float32, zero where an item meets itself."""
        own = np.arange(len(items))
        ones = np.ones(len(items), np.float32)
        found = self.scores(sp.csr_matrix((ones, (own, items)), (len(items), count)))
        found[own, items] = 0
        return found

    def truncated(self, k: int, count: int, only: np.ndarray | None = None) -> sp.csr_matrix:
        """CSR [I, I] float32 with the k largest |b_ij| of each row of `count`; all when k ≥ I.
        `only`: rows that are wanted, ascending; the others are left empty."""
        return truncate_rows(lambda items: self.rows(items, count), count, k, only)


class ClosedFormConfig(Named):
    """A closed form's settings; subclass it in its file.

    grid: by field, the values in order that the recipe climbs over on validation; starts: settings
    that are best on data of another kind, from which it may climb as well; most_items: the largest
    catalogue it can take, None for any.
    """

    room: ClassVar[str] = "training.closed_forms"
    noun: ClassVar[str] = "closed form"
    grid: ClassVar[Grid] = {}
    starts: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    most_items: ClassVar[int | None] = None

    def prepare(self, graph: sp.csr_matrix) -> Any:
        """What fits with other settings of the grid share on `graph`; None unless the form says."""
        return None

    @abstractmethod
    def fit(self, graph: sp.csr_matrix, prepared: Any = None) -> ItemWeights:
        """Fit to `graph` [U, I], positive weights; `prepared` as this class prepared it.

        Raises CatalogueTooLargeError.
        """
