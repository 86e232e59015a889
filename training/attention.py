"""Attention over edges: a softmax over each node's incoming edges, and the sums it weighs.

It knows edges and vectors on nodes; not what is attended to nor why. Everything is a sum over the
sorted edges of a node, forward and backward, by torch's embedding_bag; PyG's GATv2Conv
writes a message of d floats for every edge.
"""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional


class Edges:
    """Edges between N nodes, kept in the order of their ends.

    start, end: int64 [E] in that order; order: int64 [E], where each of them stood as given.
    """

    def __init__(self, start: torch.Tensor, end: torch.Tensor, nodes: int):
        """`start`, `end`: int64 [E] on one device, in any order."""
        self.nodes = nodes
        self.order = end.argsort(stable=True)
        self.start, self.end = start[self.order], end[self.order]
        self.incoming = _offsets(end, nodes)
        self.by_start = self.start.argsort(stable=True)
        self.outgoing = _offsets(start, nodes)
        self.end_by_start = self.end[self.by_start]

    def __len__(self) -> int:
        return len(self.start)

    def sum_in(self, values: torch.Tensor) -> torch.Tensor:
        """Values [E, k] of edges to their sums [N, k] over the incoming ones of each node."""
        everything = torch.arange(len(self), device=values.device)
        return _bags(everything, values, self.incoming)

    def sum_out(self, values: torch.Tensor) -> torch.Tensor:
        """Values [E, k] of edges to their sums [N, k] over the outgoing ones of each node."""
        return _bags(self.by_start, values, self.outgoing)


def on_edges(edges: Edges, starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """s_j + t_i [E, k] of each edge j → i, from s and t [N, k]; differentiable."""
    return _OnEdges.apply(starts, ends, edges)


def edge_softmax(edges: Edges, logits: torch.Tensor) -> torch.Tensor:
    """Logits [E, k] to shares [E, k] that are 1 in sum over a node's incoming edges;
    differentiable."""
    return _EdgeSoftmax.apply(logits, edges)


def weighted_sum(edges: Edges, weights: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Σ_j w_ji x_j [N, d] over each node's incoming edges; differentiable in both.

    weights: [E, H]; vectors: x [N, d], whose k-th H-th part is weighed by column k.
    """
    parts = vectors.chunk(weights.shape[1], dim=1)
    sums = [
        _WeightedSum.apply(column, part.contiguous(), edges)
        for column, part in zip(weights.unbind(1), parts, strict=True)
    ]
    return torch.cat(sums, dim=1)


class _OnEdges(torch.autograd.Function):
    @staticmethod
    def forward(ctx, starts, ends, edges):
        ctx.edges = edges
        return starts.index_select(0, edges.start) + ends.index_select(0, edges.end)

    @staticmethod
    @once_differentiable
    def backward(ctx, *grad_outputs):
        gradient = grad_outputs[0].contiguous()
        return ctx.edges.sum_out(gradient), ctx.edges.sum_in(gradient), None


class _EdgeSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, edges):
        most = logits.new_full((edges.nodes, logits.shape[1]), -torch.inf)
        most.scatter_reduce_(0, edges.end[:, None].expand_as(logits), logits, "amax")
        raised = (logits - most.index_select(0, edges.end)).exp_()
        shares = raised / edges.sum_in(raised).index_select(0, edges.end)
        ctx.edges = edges
        ctx.save_for_backward(shares)
        return shares

    @staticmethod
    @once_differentiable
    def backward(ctx, *grad_outputs):
        (shares,) = ctx.saved_tensors
        part = shares * grad_outputs[0]
        return part - shares * ctx.edges.sum_in(part).index_select(0, ctx.edges.end), None


class _WeightedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx, weights, vectors, edges):
        ctx.edges = edges
        ctx.save_for_backward(weights, vectors)
        return _bags(edges.start, vectors, edges.incoming, weights.contiguous())

    @staticmethod
    @once_differentiable
    def backward(ctx, *grad_outputs):
        (weights, vectors), edges = ctx.saved_tensors, ctx.edges
        gradient = grad_outputs[0].contiguous()
        turned = weights.index_select(0, edges.by_start)
        of_vectors = _bags(edges.end_by_start, gradient, edges.outgoing, turned)
        with torch.enable_grad():
            # The kernel of g_i · x_j over edges is reached through embedding_bag's own gradient.
            leaf = weights.detach().requires_grad_()
            sums = _bags(edges.start, vectors.detach(), edges.incoming, leaf)
        return torch.autograd.grad(sums, leaf, gradient)[0], of_vectors, None


def _bags(
    rows: torch.Tensor,
    values: torch.Tensor,
    offsets: torch.Tensor,
    weights: torch.Tensor | None = None,
) -> torch.Tensor:
    return functional.embedding_bag(
        rows, values, offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def _offsets(ends: torch.Tensor, nodes: int) -> torch.Tensor:
    sizes = torch.bincount(ends, minlength=nodes)
    return torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
