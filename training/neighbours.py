"""Drawing neighbours: a few of a node's many stand for all of them.

It knows one sparse matrix; neither vectors nor models.
"""

import numpy as np
import scipy.sparse as sp
import torch


class NeighbourSampler:
    """Columns of a row's entries, each drawn with a chance in proportion to its weight.

    With replacement: the mean over what is drawn is an unbiased estimate of the weighted mean over
    all of the row (Hamilton et al. 2017 draw uniformly; here an edge of weight ½ is half an edge).
    """

    def __init__(self, matrix: sp.csr_matrix, device: torch.device | str = "cpu"):
        """`matrix`: [m, n] CSR of positive weights."""
        # One running sum over all rows: a draw is a search in it, whatever the row's length.
        reached = np.concatenate([[0.0], np.cumsum(matrix.data, dtype=np.float64)])
        self.reached = torch.from_numpy(reached).to(device)
        self.columns = torch.from_numpy(matrix.indices.astype(np.int64)).to(device)
        self.offsets = torch.from_numpy(matrix.indptr.astype(np.int64)).to(device)

    def draw(
        self, rows: torch.Tensor, count: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Columns [r, count] for `rows` [r], and which rows have any: bool [r].

        Rows without entries get column 0. `generator` is the CPU's.
        """
        first, last = self.offsets[rows], self.offsets[rows + 1]
        known = last > first
        if not len(self.columns):
            return rows.new_zeros(len(rows), count), known
        low, high = self.reached[first, None], self.reached[last, None]
        chance = torch.rand(len(rows), count, generator=generator, dtype=torch.float64)
        places = torch.searchsorted(
            self.reached, low + chance.to(low.device) * (high - low), right=True
        )
        # Rounding may reach the row's end.
        places = torch.minimum(places - 1, (last - 1).clamp(min=0)[:, None])
        return torch.where(known[:, None], self.columns[places], 0), known
