import warnings

import pytest
import torch
from torch.nn import functional

from training.attention import Edges, edge_softmax, on_edges, weighted_sum

NODES = 7
START = torch.tensor([0, 6, 2, 2, 4, 0, 1, 5, 3, 0])
END = torch.tensor([3, 3, 0, 1, 3, 1, 3, 0, 6, 3])
"""Nodes 2, 4 and 5 have no incoming edge; 0 → 3 is there twice."""


def drawn(*shape: int, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator).requires_grad_()


def test_a_layer_made_of_it_and_its_gradients_equal_pygs_gatv2():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        from torch_geometric.nn import GATv2Conv

    reference = GATv2Conv(
        5, 4, heads=2, edge_dim=3, add_self_loops=False, bias=False, negative_slope=0.2
    )
    nodes, features, toward = drawn(NODES, 5), drawn(len(START), 3), drawn(NODES, 8, seed=2)
    edges = Edges(START, END, NODES)

    expected = reference(nodes, torch.stack([START, END]), features)
    of_start, of_end = reference.lin_l(nodes), reference.lin_r(nodes)
    inner = on_edges(edges, of_start, of_end) + reference.lin_edge(features)[edges.order]
    heads = functional.leaky_relu(inner, 0.2).view(-1, 2, 4)
    shares = edge_softmax(edges, (heads * reference.att).sum(dim=2))
    found = weighted_sum(edges, shares, of_start)

    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    learned = [nodes, features, *(w for w in reference.parameters() if w.numel() > 8)]
    gradients = [
        torch.autograd.grad((out * toward).sum(), learned, retain_graph=True, allow_unused=True)
        for out in (found, expected)
    ]
    for ours, theirs in zip(*gradients, strict=True):
        if theirs is not None:
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert sum(gradient is not None for gradient in gradients[1]) >= 5


def test_shares_are_one_in_sum_over_a_nodes_incoming_edges_however_large_the_logits():
    edges = Edges(START, END, NODES)

    shares = edge_softmax(edges, drawn(len(START), 2) * 300)

    sums = torch.zeros(NODES, 2).index_add(0, edges.end, shares)
    reached = torch.bincount(END, minlength=NODES) > 0
    torch.testing.assert_close(sums, reached.float()[:, None].expand(-1, 2))


def test_edges_know_where_they_stood():
    edges = Edges(START, END, NODES)

    assert torch.equal(edges.start, START[edges.order])
    assert torch.equal(edges.end, END[edges.order])
    assert edges.end.tolist() == sorted(END.tolist())


@pytest.mark.parametrize("nodes", [0, 3])
def test_without_edges_nothing_arrives(nodes):
    none = torch.empty(0, dtype=torch.int64)
    edges = Edges(none, none, nodes)
    vectors = torch.ones(nodes, 4, requires_grad=True)

    shares = edge_softmax(edges, on_edges(edges, vectors, vectors)[:, :2])
    found = weighted_sum(edges, shares, vectors)
    found.sum().backward()

    assert torch.equal(found, torch.zeros(nodes, 4))
    assert vectors.grad is not None and not vectors.grad.any()
