from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import ModelContract, redrawn, vectors_of
from tests.training.worlds import world_of
from training.models.grn import GRNConfig, time_slices
from training.world import World


def dense_hops(graph, nodes, hops):
    """Mean over hops 0..L of the symmetrically normalised graph, users then items."""
    users, items = graph.shape
    adjacency = np.block([[np.zeros((users, users)), graph], [graph.T, np.zeros((items, items))]])
    degree = adjacency.sum(axis=1)
    scale = np.diag(np.power(degree, -0.5, where=degree > 0, out=np.zeros(len(degree))))
    powers = [np.linalg.matrix_power(scale @ adjacency @ scale, hop) for hop in range(hops + 1)]
    return sum(powers) @ nodes / (hops + 1), degree > 0


def gated(weights, side, given, state):
    """One step of a gated recurrent unit, gates in torch's order: reset, update, new."""
    of_given = given @ weights[f"{side}_unit.weight_ih"].T + weights[f"{side}_unit.bias_ih"]
    of_state = state @ weights[f"{side}_unit.weight_hh"].T + weights[f"{side}_unit.bias_hh"]
    (r, z, n), (hr, hz, hn) = np.split(of_given, 3, axis=1), np.split(of_state, 3, axis=1)
    reset, update = 1 / (1 + np.exp(-(r + hr))), 1 / (1 + np.exp(-(z + hz)))
    return (1 - update) * np.tanh(n + reset * hn) + update * state


def recurrent(weights, world, config):
    start = weights["item_embedding"]
    if world.text is not None:
        start = start + world.text @ weights["text_projection"]
    nodes = np.concatenate([weights["user_embedding"], start])
    users = world.graph.shape[0]
    for part in time_slices(world, config.slices):
        given, met = dense_hops(part.toarray().astype(float), nodes, config.hops)
        after = np.concatenate(
            [
                gated(weights, side, given[rows], nodes[rows])
                for side, rows in (("user", slice(users)), ("item", slice(users, None)))
            ]
        )
        nodes = np.where(met[:, None], after, nodes)
    return np.split(nodes, [users])


class TestGRN(ModelContract):
    config = GRNConfig()
    dense = staticmethod(recurrent)
    band = (0.4, 0.42)


def timed(graph: sp.csr_matrix, at: list[int]) -> World:
    """The world of `graph` whose pairs, in order, met at these moments."""
    world = world_of(graph)
    return replace(world, interactions=replace(world.interactions, at=np.array(at)))


def test_agrees_with_the_formula_over_several_slices(six_nodes):
    world, config = timed(six_nodes, [5, 9, 3, 7, 1]), GRNConfig(dimensions=6, slices=3)
    model = redrawn(config.build(world, seed=1))
    weights = {name: w.detach().numpy().astype(float) for name, w in model.named_parameters()}

    expected = np.concatenate(recurrent(weights, world, config))

    assert len(time_slices(world, 3)) == 3
    np.testing.assert_allclose(vectors_of(model), expected, atol=1e-5)


def test_slices_part_the_pairs_in_order_of_time(six_nodes):
    parts = time_slices(timed(six_nodes, [5, 9, 3, 7, 1]), 2)

    found = [set(zip(*(axis.tolist() for axis in part.nonzero()), strict=True)) for part in parts]
    assert found == [{(0, 0), (1, 1), (2, 0)}, {(0, 1), (1, 2)}]
    np.testing.assert_allclose(sum(parts).toarray(), six_nodes.toarray())


@pytest.mark.parametrize(
    ("at", "count"), [([4] * 5, 1), ([4, 4, 4, 4, 6], 2), ([1, 2, 3, 4, 5], 5)]
)
def test_pairs_of_one_moment_are_in_one_slice(six_nodes, at, count):
    parts = time_slices(timed(six_nodes, at), 8)

    assert len(parts) == count
    assert sum(part.nnz for part in parts) == 5


def test_without_times_there_is_one_slice(six_nodes):
    (only,) = time_slices(world_of(six_nodes), 4)

    assert (only != six_nodes).nnz == 0


def test_the_order_of_meetings_matters(six_nodes):
    """The same pairs at the same moments, backwards: states are carried on, not summed."""
    config = GRNConfig(dimensions=6, slices=5)
    forwards, backwards = (
        vectors_of(redrawn(config.build(timed(six_nodes, at), seed=1)))
        for at in ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1])
    )

    assert np.abs(forwards - backwards).max() > 1e-2


def test_who_is_not_in_a_slice_keeps_their_state():
    graph = sp.csr_matrix(np.array([[1.0, 0], [0, 1.0]], np.float32))
    world = timed(graph, [1, 2])
    model = redrawn(GRNConfig(dimensions=4, slices=2).build(world, seed=1))
    first = model.slices[0]

    with torch.no_grad():
        users, items = model.hop_zero()
        met = model.user_unit(first.propagation(users, items)[0], users)[0]

    np.testing.assert_allclose(vectors_of(model)[0], met.numpy(), atol=1e-6)
