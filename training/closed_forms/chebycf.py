"""ChebyCF: a plateau-shaped filter of the items' spectrum beside the ideal low-pass."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.polynomial import Chebyshev, Polynomial
from pydantic import Field

from training.closed_form import ClosedFormConfig, Grid
from training.spectrum import Filter, Spectrum

TOLERANCE = 2e-3
"""Of the plateau's height: so near is the remainder's polynomial to the filter."""


class ChebycfConfig(ClosedFormConfig):
    """The filter's settings.

    `order`: K of the Chebyshev interpolation; `phi`: the plateau's flatness; `vectors`: η,
    singular vectors of the low-pass; `alpha`: its weight; `beta`: the power of the items' degrees.
    Gowalla by the authors: 8, 1.5, 512, .2, .4; Amazon-book 8, 10, 512, .2, 0.
    """

    name: ClassVar[str] = "chebycf"

    grid: ClassVar[Grid] = {
        "phi": (1, 1.5, 2.5, 4, 7, 12),
        "beta": (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6),
        "vectors": (16, 32, 64, 128, 256, 512),
        "alpha": (0, 0.1, 0.2, 0.4, 0.8),
    }
    starts: ClassVar[tuple[Mapping[str, Any], ...]] = ({"phi": 10, "beta": 0},)

    order: int = Field(default=8, ge=1, le=32)
    phi: float = Field(default=1.5, ge=0.25, le=64)
    vectors: int = Field(default=512, ge=1, le=4096)
    alpha: float = Field(default=0.2, ge=0, le=100)
    beta: float = Field(default=0.4, ge=0, le=1)

    def prepare(self, graph: sp.csr_matrix) -> Spectrum:
        """As many singular vectors as any of the grid takes."""
        return Spectrum.of(graph, max(self.vectors, *self.grid["vectors"]))

    def fit(self, graph: sp.csr_matrix, prepared: Spectrum | None = None) -> Filter:
        """D^-β (p(NᵀN) + α V Vᵀ) D^β for `graph` [U, I] (Kim et al. 2025, "Graph Spectral
        Filtering with Chebyshev Interpolation for Recommendation").

        p is exact on the eigenvalues of the vectors that are there. Below them a polynomial of the
        lowest degree that is within TOLERANCE of it stands for it: two on Gowalla instead of K.
        """
        spectrum = prepared or Spectrum.of(graph, self.vectors)
        response = self.response()
        values = np.clip(spectrum.values.astype(np.float64) ** 2, 0, 1)
        rest = _remainder(response, values[-1])
        gains = response(values) - rest(values)
        gains[: self.vectors] += self.alpha
        return Filter(graph, rest.coef, spectrum.right, gains, self.beta, self.beta)

    def response(self) -> Chebyshev:
        """p(λ) of eigenvalues λ of NᵀN: near 0 at 0, near 1 at 1, flat about the middle."""

        def plateau(gap: np.ndarray) -> np.ndarray:
            return 0.5 - 0.5 * np.sign(gap) * np.abs(gap) ** self.phi

        return Chebyshev.interpolate(lambda value: plateau(1 - 2 * value), self.order, (0, 1))


def _remainder(response: Chebyshev, upper: float) -> Polynomial:
    """The polynomial of least degree that is within TOLERANCE of `response` from 0 to `upper`."""
    points = np.linspace(0, upper, 257) if upper > 0 else np.zeros(1)
    for degree in range(response.degree()):
        domain = (0.0, max(upper, 1e-6))
        found = Chebyshev.interpolate(response, degree, domain).convert(kind=Polynomial)
        if np.abs(found(points) - response(points)).max() <= TOLERANCE:
            return found
    return response.convert(kind=Polynomial)
