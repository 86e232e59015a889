"""Item vectors as a cosine index holds them, and those that it would miss for their length.

A cosine index forgets how long a vector is. Where a version's score is the inner product, its
vectors lie there capped and extended by one component, and what was capped is sought beside it.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

LENGTH_PERCENTILE = 95
"""Of a truncated SVD of Gowalla (40,981 items, 64 d) the 200 nearest in an index capped here hold
.973 of a person's best ten, with the longest 5 % beside them all; capped at 98 % .955 and .996; not
capped .905. Of 400,000 items the longest 5 % take a millisecond."""


def indexed_vectors(vectors: np.ndarray, similarity: str) -> tuple[np.ndarray, np.ndarray]:
    """Item vectors [I, d] as a cosine index must hold them to rank as the model does.

    cosine: unit vectors, factor 1. inner_product: capped at length M and extended by
    sqrt(M² - len²), so that u·v = (2 score - 1) |u| · factor with factor = M max(1, len / M)
    (Bachrach et al. 2014, where M is the longest).
    """
    lengths = np.linalg.norm(vectors, axis=1)
    if similarity == "cosine":
        safe = np.where(lengths > 0, lengths, 1)
        return vectors / safe[:, None], np.ones(len(vectors))
    cap = _cap(lengths)
    scale = np.minimum(1.0, np.divide(cap, lengths, where=lengths > 0, out=np.ones_like(lengths)))
    capped = vectors * scale[:, None]
    rest = np.sqrt(np.maximum(0.0, cap**2 - (capped**2).sum(axis=1)))
    return np.hstack([capped, rest[:, None]]), np.maximum(cap, lengths)


def query_vector(user: np.ndarray, similarity: str) -> list[float]:
    """A user vector [d] as the index is asked: inner-product indexes have one more component."""
    return [*map(float, user), 0.0] if similarity == "inner_product" else user.tolist()


@dataclass(frozen=True)
class Longest:
    """The items that are capped in the index: their rows and whole vectors [rows, d]."""

    rows: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, similarity: str) -> "Longest":
        """Those of item vectors [I, d]; none where lengths do not count."""
        rows = np.empty(0, np.int64)
        if similarity == "inner_product":
            lengths = np.linalg.norm(vectors, axis=1)
            rows = np.flatnonzero(lengths > _cap(lengths))
        return cls(rows, vectors[rows])

    def nearest(self, user: np.ndarray, count: int, barred: Collection[int] = ()) -> np.ndarray:
        """At most `count` item rows that are not barred, the largest inner products first."""
        order = np.argsort(-(self.vectors @ user), kind="stable")
        rows = self.rows[order[: count + len(barred)]]
        return rows[~np.isin(rows, list(barred))][:count]


def _cap(lengths: np.ndarray) -> float:
    return float(np.percentile(lengths, LENGTH_PERCENTILE)) if len(lengths) else 1.0
