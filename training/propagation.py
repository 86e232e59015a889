"""The kernel that heavy propagation goes through: two CSR matrices, no edge list.

It knows the graph as a matrix and vectors on its nodes; nothing of models or losses.

On the CPU a product is torch's embedding_bag, whose inner loop prefetches: Gowalla's 810,000 edges
by 64 dimensions take a quarter of the time of torch's own CSR product. On CUDA it is that product.
"""

import warnings

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn import functional


class Propagation:
    """Mean over hops 0..L of the symmetrically normalised bipartite graph.

    With R_ui = a_ui / sqrt(d_u d_i), d the summed weights, one hop is u' = R i and i' = Rᵀ u
    (LightGCN, He et al. 2020, equations 3 and 8 with α = 1/(L+1)). Nodes without edges have zero
    in every hop but the first.
    """

    def __init__(self, graph: sp.csr_matrix, hops: int, device: torch.device | str = "cpu"):
        """`graph`: [U, I] CSR of positive weights."""
        self.hops = hops
        self.user_degree = np.asarray(graph.sum(axis=1)).ravel()
        self.item_degree = np.asarray(graph.sum(axis=0)).ravel()
        scale_users = sp.diags(inverse_sqrt(self.user_degree))
        scale_items = sp.diags(inverse_sqrt(self.item_degree))
        normalised = sp.csr_matrix(scale_users @ graph @ scale_items, dtype=np.float32)
        self.to_users = _Matrix(normalised, device)
        self.to_items = _Matrix(normalised.T.tocsr(), device)

    def __call__(
        self, users: torch.Tensor, items: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Hop-0 vectors [U, d] and [I, d] to final ones; differentiable."""
        return _Propagate.apply(users, items, self)

    def rows(
        self,
        users: torch.Tensor,
        items: torch.Tensor,
        user_rows: torch.Tensor,
        item_rows: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Hop-0 vectors [U, d] and [I, d] to the final ones of these rows; differentiable.

        Exactly those rows of the whole propagation. On the CPU the last hop, and the first one
        backward, touch the edges of these rows only: of one hop and a batch of 2,048 on Gowalla a
        seventh of all. On CUDA the whole product is quicker than cutting rows out of the matrix.
        """
        if self.hops == 0 or users.is_cuda:
            users, items = self(users, items) if self.hops else (users, items)
            return users.index_select(0, user_rows), items.index_select(0, item_rows)
        return _PropagateRows.apply(users, items, self, user_rows, item_rows)

    def hop_sums(
        self, users: torch.Tensor, items: torch.Tensor, hops: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Σ over hops 0..`hops` of the vectors of users and of items, not differentiable."""
        user_sum, item_sum = users.clone(), items.clone()
        for _ in range(hops):
            users, items = self.to_users @ items, self.to_items @ users
            user_sum += users
            item_sum += items
        return user_sum, item_sum


class Product:
    """A CSR matrix [m, n] times vectors [n, d], differentiable in the vectors."""

    def __init__(self, matrix: sp.csr_matrix, device: torch.device | str = "cpu"):
        matrix = sp.csr_matrix(matrix, dtype=np.float32)
        self.forward = _Matrix(matrix, device)
        self.backward = _Matrix(matrix.T.tocsr(), device)

    def __matmul__(self, vectors: torch.Tensor) -> torch.Tensor:
        return _Product.apply(vectors, self)

    def rows(self, rows: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """Those rows [r, d] of the product with `vectors` [n, d]; on the CPU over their entries
        alone."""
        if vectors.is_cuda:
            return (self @ vectors).index_select(0, rows)
        return Product(self.forward.matrix[rows.numpy()]) @ vectors


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, vectors, product):
        ctx.product = product
        return product.forward @ vectors

    @staticmethod
    def backward(ctx, *grad_outputs):
        return ctx.product.backward @ grad_outputs[0].contiguous(), None


class _Propagate(torch.autograd.Function):
    # The operator is a polynomial of a symmetric matrix, so it is its own transpose: backward is
    # the same propagation, and nothing needs to be saved.

    @staticmethod
    def forward(ctx, users, items, propagation):
        ctx.propagation = propagation
        return _mean(propagation, users, items)

    @staticmethod
    def backward(ctx, *grad_outputs):
        user_grad, item_grad = grad_outputs
        return *_mean(ctx.propagation, user_grad.contiguous(), item_grad.contiguous()), None


def _mean(propagation, users, items):
    user_sum, item_sum = propagation.hop_sums(users, items, propagation.hops)
    scale = 1 / (propagation.hops + 1)
    return user_sum.mul_(scale), item_sum.mul_(scale)


class _PropagateRows(torch.autograd.Function):
    # With A the whole matrix and P the choice of rows, forward is P Σ A^l; backward, Σ A^l Pᵀ, is
    # Horner's t := Pᵀg + A t from t = Pᵀg, whose first product is (P A)ᵀ g.

    @staticmethod
    def forward(ctx, users, items, propagation, user_rows, item_rows):
        to_users = propagation.to_users.rows(user_rows)
        to_items = propagation.to_items.rows(item_rows)
        user_sum, item_sum = users.index_select(0, user_rows), items.index_select(0, item_rows)
        for _ in range(propagation.hops - 1):
            users, items = propagation.to_users @ items, propagation.to_items @ users
            user_sum += users.index_select(0, user_rows)
            item_sum += items.index_select(0, item_rows)
        user_sum += to_users @ items
        item_sum += to_items @ users
        ctx.propagation, ctx.kept = propagation, (to_users, to_items, user_rows, item_rows)
        scale = 1 / (propagation.hops + 1)
        return user_sum.mul_(scale), item_sum.mul_(scale)

    @staticmethod
    def backward(ctx, *grad_outputs):
        propagation, (to_users, to_items, user_rows, item_rows) = ctx.propagation, ctx.kept
        user_grad, item_grad = (grad / (propagation.hops + 1) for grad in grad_outputs)
        users = to_items.transposed() @ item_grad
        items = to_users.transposed() @ user_grad
        users.index_add_(0, user_rows, user_grad)
        items.index_add_(0, item_rows, item_grad)
        for _ in range(propagation.hops - 1):
            users, items = propagation.to_users @ items, propagation.to_items @ users
            users.index_add_(0, user_rows, user_grad)
            items.index_add_(0, item_rows, item_grad)
        return users, items, None, None, None


def inverse_sqrt(degree: np.ndarray) -> np.ndarray:
    """d^-1/2, zero where d is zero."""
    return np.power(degree, -0.5, where=degree > 0, out=np.zeros(len(degree)))


class _Matrix:
    """A CSR matrix [m, n] for products with [n, d] on its device; cut and turned on the CPU."""

    def __init__(self, matrix: sp.csr_matrix, device: torch.device | str = "cpu"):
        self.matrix = matrix
        parts = (matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data)
        self.offsets, self.columns, self.weights = (torch.from_numpy(x).to(device) for x in parts)
        self.sparse = None
        if self.weights.is_cuda:
            with warnings.catch_warnings():
                # torch says once a process that its CSR tensors are in beta.
                warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
                self.sparse = torch.sparse_csr_tensor(
                    self.offsets, self.columns, self.weights, matrix.shape
                )

    def __matmul__(self, vectors: torch.Tensor) -> torch.Tensor:
        if self.sparse is not None:
            return self.sparse @ vectors
        # What needs a gradient gets the bags of its own backward made up, half of the time again.
        return functional.embedding_bag(
            self.columns,
            vectors.detach(),
            self.offsets,
            mode="sum",
            per_sample_weights=self.weights,
            include_last_offset=True,
        )

    def rows(self, rows: torch.Tensor) -> "_Matrix":
        return _Matrix(self.matrix[rows.numpy()])

    def transposed(self) -> "_Matrix":
        return _Matrix(self.matrix.T.tocsr())
