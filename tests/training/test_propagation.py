import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from training.propagation import Product, Propagation


def random_graph(users: int, items: int, density: float) -> sp.csr_matrix:
    graph = sp.random(
        users, items, density, "csr", np.float32, random_state=np.random.default_rng(3)
    )
    graph.data += 0.1
    return graph


def test_agrees_with_the_dense_formula_on_six_nodes(six_nodes):
    dense = six_nodes.toarray().astype(np.float64)
    adjacency = np.block([[np.zeros((3, 3)), dense], [dense.T, np.zeros((3, 3))]])
    scale = np.diag(adjacency.sum(axis=1) ** -0.5)
    normalised = scale @ adjacency @ scale
    start = np.random.default_rng(1).normal(size=(6, 4))
    expected = sum(np.linalg.matrix_power(normalised, hop) @ start for hop in range(4)) / 4

    users, items = (torch.from_numpy(half.astype(np.float32)) for half in np.split(start, 2))
    found = torch.cat(Propagation(six_nodes, hops=3)(users, items))

    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)


def test_output_and_gradient_equal_those_of_pyg():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        from torch_geometric.nn import LightGCN

    graph = random_graph(50, 70, 0.1)
    pairs = graph.tocoo()
    forward = torch.from_numpy(np.stack([pairs.row, pairs.col + 50]).astype(np.int64))
    weight = torch.from_numpy(pairs.data).repeat(2)
    reference = LightGCN(120, 16, num_layers=3)
    start = reference.embedding.weight.detach().clone()
    users, items = (half.clone().requires_grad_() for half in start.split([50, 70]))
    toward = torch.randn(120, 16, generator=torch.Generator().manual_seed(1))

    expected = reference.get_embedding(torch.cat([forward, forward.flip(0)], dim=1), weight)
    found = torch.cat(Propagation(graph, hops=3)(users, items))
    (expected * toward).sum().backward()
    (found * toward).sum().backward()

    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    gradient = torch.cat([users.grad, items.grad])
    torch.testing.assert_close(gradient, reference.embedding.weight.grad, atol=1e-5, rtol=0)


def test_moving_a_node_moves_its_neighbours_on_the_other_side(six_nodes):
    generator = torch.Generator().manual_seed(1)
    users, items = (torch.randn(3, 4, generator=generator) for _ in range(2))
    propagation = Propagation(six_nodes, hops=1)
    before = propagation(users, items)

    moved_item, moved_user = items.clone(), users.clone()
    moved_item[2] += 1
    moved_user[2] += 1

    users_moved = (propagation(users, moved_item)[0] - before[0]).abs().sum(dim=1) > 1e-6
    items_moved = (propagation(moved_user, items)[1] - before[1]).abs().sum(dim=1) > 1e-6
    assert users_moved.tolist() == [False, True, False]
    assert items_moved.tolist() == [True, False, False]


def test_nodes_without_edges_keep_only_their_own_vector():
    graph = sp.csr_matrix(np.array([[1.0, 0], [0, 0]], np.float32))
    users, items = Propagation(graph, hops=3)(torch.ones(2, 2), torch.ones(2, 2))

    assert users.tolist() == [[1, 1], [0.25, 0.25]]
    assert items.tolist() == [[1, 1], [0.25, 0.25]]


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
def test_some_rows_equal_those_of_the_whole_in_output_and_gradient(hops):
    propagation = Propagation(random_graph(50, 70, 0.1), hops)
    user_rows, item_rows = torch.tensor([3, 4, 41]), torch.tensor([0, 9, 10, 33, 69])
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(120, 16, generator=generator)
    toward = torch.randn(8, 16, generator=generator)

    found, gradients = [], []
    for restricted in (False, True):
        users, items = (half.clone().requires_grad_() for half in start.split([50, 70]))
        if restricted:
            rows = propagation.rows(users, items, user_rows, item_rows)
        else:
            whole = propagation(users, items)
            rows = (whole[0][user_rows], whole[1][item_rows])
        (torch.cat(rows) * toward).sum().backward()
        found.append(torch.cat(rows))
        gradients.append(torch.cat([users.grad, items.grad]))

    torch.testing.assert_close(*found, atol=1e-6, rtol=0)
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)
    assert gradients[0].abs().sum() > 1


@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (2, 0)])
def test_a_graph_without_edges_gives_a_share_of_each_own_vector(shape):
    propagation = Propagation(sp.csr_matrix(shape, dtype=np.float32), hops=1)
    users, items = torch.ones(shape[0], 2), torch.ones(shape[1], 2)

    whole = propagation(users, items)
    rows = propagation.rows(users, items, torch.arange(shape[0]), torch.arange(shape[1]))

    for found in (whole, rows):
        assert torch.equal(torch.cat(found), torch.full((sum(shape), 2), 0.5))


def test_a_product_and_its_gradient_equal_those_of_dense_matrices():
    matrix = random_graph(30, 20, 0.2)
    generator = torch.Generator().manual_seed(1)
    vectors = torch.randn(20, 8, generator=generator).requires_grad_()
    toward = torch.randn(30, 8, generator=generator)
    dense = torch.from_numpy(matrix.toarray())

    found = Product(matrix) @ vectors
    (gradient,) = torch.autograd.grad((found * toward).sum(), vectors)

    torch.testing.assert_close(found, dense @ vectors, atol=1e-5, rtol=0)
    torch.testing.assert_close(gradient, dense.T @ toward, atol=1e-5, rtol=0)


def test_some_rows_of_a_product_and_their_gradient_equal_those_of_the_whole():
    product = Product(random_graph(30, 20, 0.2))
    generator = torch.Generator().manual_seed(1)
    vectors = torch.randn(20, 8, generator=generator).requires_grad_()
    rows = torch.tensor([7, 3, 29])
    toward = torch.randn(3, 8, generator=generator)

    found = {"rows": product.rows(rows, vectors), "whole": (product @ vectors)[rows]}
    gradients = {
        name: torch.autograd.grad((each * toward).sum(), vectors)[0] for name, each in found.items()
    }

    torch.testing.assert_close(found["rows"], found["whole"], atol=1e-5, rtol=0)
    torch.testing.assert_close(gradients["rows"], gradients["whole"], atol=1e-5, rtol=0)
