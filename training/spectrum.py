"""The spectrum of the normalised interactions, and filters of it as item–item weights.

With N_ui = a_ui / sqrt(d_u d_i), d the summed weights, NᵀN has eigenvalues λ within 0 and 1. It
knows a graph as a matrix; neither models nor how weights are chosen.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.utils.extmath import randomized_svd

from training.closed_form import ItemWeights
from training.propagation import Propagation, inverse_sqrt

COLUMNS = 64
"""Vectors propagated at once: more fall out of the cache (0.20 ms each at 64, 0.28 at 128)."""


@dataclass(frozen=True)
class Spectrum:
    """The largest singular values [n] of N, descending, and their right vectors [I, n]."""

    values: np.ndarray
    right: np.ndarray

    @staticmethod
    def of(graph: sp.csr_matrix, count: int, seed: int = 0) -> "Spectrum":
        """`count` of them (at most all) of `graph` [U, I] by randomised SVD.

        Halko et al. 2011, with QR between four power iterations.
        """
        _, values, right = randomized_svd(
            normalised(graph),
            min(count, *graph.shape),
            n_iter=4,
            power_iteration_normalizer="QR",
            flip_sign=False,
            random_state=seed,
        )
        return Spectrum(values, right.T)


def normalised(graph: sp.csr_matrix) -> sp.csr_matrix:
    """N [U, I] float32 of `graph` [U, I]."""
    sides = (sp.diags(inverse_sqrt(np.asarray(graph.sum(axis=axis)).ravel())) for axis in (1, 0))
    users, items = sides
    return sp.csr_matrix(users @ graph @ items, dtype=np.float32)


class Filter(ItemWeights):
    """b = D^-β q(NᵀN) D^β + D^-γ V diag(g) Vᵀ D^γ; D the items' degrees."""

    def __init__(
        self,
        graph: sp.csr_matrix,
        polynomial: np.ndarray,
        right: np.ndarray,
        gains: np.ndarray,
        scale_power: float,
        gain_power: float,
    ):
        """polynomial: q's coefficients from the constant up; right: V [I, n]; gains: g [n].

        scale_power: β; gain_power: γ.
        """
        self.propagation = Propagation(graph, 1)
        self.polynomial = polynomial
        self.right, self.gains = right.astype(np.float32), gains.astype(np.float32)
        degree = self.propagation.item_degree
        touched = np.where(degree > 0, degree, 1)
        self.scale, self.gain_scale = (
            (touched**power).astype(np.float32) for power in (scale_power, gain_power)
        )

    def scores(self, history: sp.csr_matrix) -> np.ndarray:
        """[B, I] float32 for `history` [B, I]."""
        gained = ((history / self.gain_scale) @ self.right) * self.gains
        found = (gained.astype(np.float32) @ self.right.T) * self.gain_scale
        start = sp.csr_matrix(history / self.scale, dtype=np.float32)
        for first in range(0, start.shape[0], COLUMNS):
            part = slice(first, first + COLUMNS)
            found[part] += self._polynomial(start[part]) * self.scale
        return found

    def _polynomial(self, start: sp.csr_matrix) -> np.ndarray:
        # Horner: q(A) x = c_0 x + A (c_1 x + A (…)), whose first product is of few entries.
        coefficients = [float(c) for c in self.polynomial]
        found = start * coefficients[-1]
        if len(coefficients) > 1:
            to_users, to_items = self.propagation.to_users, self.propagation.to_items
            found = found @ to_items.matrix @ to_users.matrix + start * coefficients[-2]
        if len(coefficients) <= 2:
            return found.toarray()
        # In C's order: vectors that lie apart in memory make a product ten times as slow.
        total, x = (torch.from_numpy(part.T.toarray(order="C")) for part in (found, start))
        for coefficient in coefficients[-3::-1]:
            total = to_items @ (to_users @ total)
            total.add_(x, alpha=coefficient)
        return total.numpy().T
