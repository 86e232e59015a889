"""GF-CF: one linear hop between items beside the ideal low-pass of their spectrum."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.closed_form import ClosedFormConfig, Grid
from training.spectrum import Filter, Spectrum


class GfcfConfig(ClosedFormConfig):
    """`vectors`: singular vectors of the low-pass; `alpha`: its weight."""

    name: ClassVar[str] = "gfcf"

    grid: ClassVar[Grid] = {"alpha": (0, 0.1, 0.3, 1, 3), "vectors": (32, 64, 128, 256)}

    vectors: int = Field(default=256, ge=1, le=4096)
    alpha: float = Field(default=0.3, ge=0, le=100)

    def prepare(self, graph: sp.csr_matrix) -> Spectrum:
        """As many singular vectors as any of the grid takes."""
        return Spectrum.of(graph, max(self.vectors, *self.grid["vectors"]))

    def fit(self, graph: sp.csr_matrix, prepared: Spectrum | None = None) -> Filter:
        """NᵀN + α D^-1/2 V Vᵀ D^1/2 (Shen et al. 2021, "How Powerful is Graph Convolution…").

        `graph` [U, I]; V the first right singular vectors of the normalised graph.
        """
        spectrum = prepared or Spectrum.of(graph, self.vectors)
        right = spectrum.right[:, : self.vectors]
        gains = np.full(right.shape[1], self.alpha)
        return Filter(graph, np.array([0.0, 1.0]), right, gains, scale_power=0, gain_power=0.5)
