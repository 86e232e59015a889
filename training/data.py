"""Interactions as arrays.

It knows user and item rows, weights and times: neither event types nor what learns from it.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class Interactions:
    """One entry for each pair of user and item that met.

    user_index, item_index: int32 [E], sorted by user, then item; weight: float32 [E], the pair's
    summed signed event weights, not capped; at: int64 [E] microseconds of the pair's latest event,
    or None; seen: bool [E].
    """

    user_index: np.ndarray
    item_index: np.ndarray
    weight: np.ndarray
    at: np.ndarray | None
    seen: np.ndarray
    user_count: int
    item_count: int
    weight_cap: float = 1.0

    def __len__(self) -> int:
        return len(self.user_index)

    def take(self, chosen: np.ndarray) -> "Interactions":
        """The entries where the mask `chosen` [E] is true; users and items keep their rows."""
        return replace(
            self,
            user_index=self.user_index[chosen],
            item_index=self.item_index[chosen],
            weight=self.weight[chosen],
            at=None if self.at is None else self.at[chosen],
            seen=self.seen[chosen],
        )

    def matrix(self, values: np.ndarray) -> sp.csr_matrix:
        """`values` [E] as CSR [U, I] that keeps explicit zeros, one entry a pair."""
        counts = np.bincount(self.user_index, minlength=self.user_count)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        shape = (self.user_count, self.item_count)
        return sp.csr_matrix((values.astype(np.float32), self.item_index, indptr), shape)

    def history(self) -> sp.csr_matrix:
        """What the scorer is given: [U, I] summed weights, signed and not capped."""
        return self.matrix(self.weight)

    def graph(self) -> sp.csr_matrix:
        """What models learn from: [U, I] positive weights, at most `weight_cap` each."""
        positive = self.take(self.weight > 0)
        return positive.matrix(np.minimum(positive.weight, self.weight_cap))

    def popularity(self) -> np.ndarray:
        """[I] float32: the summed positive weight of each item."""
        weight = np.maximum(self.weight, 0)
        return np.bincount(self.item_index, weight, self.item_count).astype(np.float32)


def interactions(
    user_index: np.ndarray,
    item_index: np.ndarray,
    user_count: int,
    item_count: int,
    *,
    weight: np.ndarray | None = None,
    at: np.ndarray | None = None,
    seen: np.ndarray | None = None,
    weight_cap: float = 1.0,
) -> Interactions:
    """Sum events (one a row of the arrays, [N]) into pairs; without `weight` each event is 1."""
    pair = user_index.astype(np.int64) * item_count + item_index
    unique, inverse = np.unique(pair, return_inverse=True)
    weight = np.ones(len(pair)) if weight is None else weight
    latest = None
    if at is not None:
        latest = np.full(len(unique), np.iinfo(np.int64).min)
        np.maximum.at(latest, inverse, at)
    flags = np.ones(len(pair), bool) if seen is None else seen
    return Interactions(
        user_index=(unique // item_count).astype(np.int32),
        item_index=(unique % item_count).astype(np.int32),
        weight=np.bincount(inverse, weight, len(unique)).astype(np.float32),
        at=latest,
        seen=np.bincount(inverse, flags, len(unique)) > 0,
        user_count=user_count,
        item_count=item_count,
        weight_cap=weight_cap,
    )
