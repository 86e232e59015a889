"""GF-CF: one linear hop between items beside the ideal low-pass of their spectrum."""

from typing import ClassVar

import numpy as np
import scipy.sparse as sp
from pydantic import Field

from training.closed_form import ClosedFormConfig
from training.spectrum import Filter, Spectrum


class GfcfConfig(ClosedFormConfig):
    """`vectors`: singular vectors of the low-pass; `alpha`: its weight."""

    name: ClassVar[str] = "gfcf"

    vectors: int = Field(default=256, ge=1, le=4096)
    alpha: float = Field(default=0.3, ge=0, le=100)

    def fit(self, graph: sp.csr_matrix) -> Filter:
        """NᵀN + α D^-1/2 V Vᵀ D^1/2 (Shen et al. 2021, "How Powerful is Graph Convolution…").

        `graph` [U, I]; V the first right singular vectors of the normalised graph.
        """
        right = Spectrum.of(graph, self.vectors).right
        gains = np.full(right.shape[1], self.alpha)
        return Filter(graph, np.array([0.0, 1.0]), right, gains, scale_power=0, gain_power=0.5)
