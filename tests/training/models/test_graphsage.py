import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import (
    TEXT,
    ModelContract,
    redrawn,
    scorer_of,
    sparse_graph,
    vectors_of,
)
from tests.training.models.layers import adjacency_of, edges_of, nodes_of
from tests.training.worlds import full_world, world_of
from training.errors import SettingError
from training.judging.evaluation import rank
from training.models.graphsage import GraphSAGEConfig
from training.running.loop import TrainingConfig, train_model


def means_beside_oneself(weights, world, config):
    users = world.graph.shape[0]
    nodes, adjacency = nodes_of(weights, world), adjacency_of(world.graph)
    mean = adjacency / adjacency.sum(axis=1, keepdims=True)
    for hop in range(config.hops):
        nodes = nodes @ weights[f"own.{hop}"] + mean @ nodes @ weights[f"met.{hop}"]
        if hop + 1 < config.hops:
            nodes = np.maximum(nodes, 0)
            nodes /= np.linalg.norm(nodes, axis=1, keepdims=True)
    return nodes[:users], nodes[users:]


class TestGraphSAGE(ModelContract):
    config = GraphSAGEConfig()
    dense = staticmethod(means_beside_oneself)
    band = (0.32, 0.36)


def test_equals_pygs_layer(six_nodes):
    from torch_geometric.nn import SAGEConv

    graph = six_nodes.sign()
    model = redrawn(GraphSAGEConfig(dimensions=8, hops=1).build(world_of(graph), seed=1))
    layer = SAGEConv(8, 8, bias=False)
    layer.lin_l.weight.data, layer.lin_r.weight.data = model.met[0].data.T, model.own[0].data.T

    nodes = layer(torch.cat(model.hop_zero()), edges_of(graph)[0])

    torch.testing.assert_close(torch.cat(model()), nodes)


@pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
def test_one_hop_of_drawn_neighbours_has_the_mean_of_all(six_nodes, text):
    """A layer without a nonlinearity: the mean over many draws is the whole's."""
    config = GraphSAGEConfig(dimensions=8, hops=1, fanout=1000, id_dropout=0)
    model = redrawn(config.build(world_of(six_nodes, text), seed=1))
    user_rows, item_rows = torch.tensor([2, 0]), torch.tensor([1, 2])
    users, items = model()
    whole = torch.cat([users[user_rows], items[item_rows]])

    model.train()
    drawn = torch.stack([torch.cat(model.rows(user_rows, item_rows)) for _ in range(50)])

    error = drawn.std(dim=0) / np.sqrt(50)
    assert ((drawn.mean(dim=0) - whole).abs() < 5 * error + 1e-4).all()
    assert error.max() > 1e-4


def test_two_hops_of_many_neighbours_are_close_to_the_whole():
    world = full_world(sparse_graph())
    model = redrawn(GraphSAGEConfig(fanout=1000, id_dropout=0).build(world, seed=1))
    whole = torch.cat(model())

    found = torch.cat(model.train().rows(torch.arange(5), torch.arange(8)))

    assert (found - whole).abs().max() < 0.1 * whole.abs().max()


def test_draws_differ_from_batch_to_batch_and_go_on_after_a_stop():
    world = full_world(sparse_graph())
    config = GraphSAGEConfig(fanout=2)
    model = redrawn(config.build(world, seed=1)).train()
    everybody = torch.arange(5), torch.arange(8)
    first = model.rows(*everybody)[0]
    stopped = {name: value.clone() for name, value in model.state_dict().items()}
    second = model.rows(*everybody)[0]

    continued = config.build(world, seed=1).train()
    continued.load_state_dict(stopped)

    assert not torch.equal(first, second)
    assert torch.equal(continued.rows(*everybody)[0], second)


def test_an_embedding_that_is_left_out_leaves_the_text(six_nodes):
    """At a dropout of nearly 1 nothing but texts is left: ids may be anything."""
    config = GraphSAGEConfig(dimensions=8, id_dropout=0.999999, fanout=50)
    model = redrawn(config.build(world_of(six_nodes, TEXT), seed=1)).train()
    rows = torch.arange(3), torch.arange(3)
    vectors = torch.cat(model.rows(*rows))
    with torch.no_grad():
        model.item_embedding += 1
        model.batches -= 1

    assert vectors.any()
    torch.testing.assert_close(torch.cat(model.rows(*rows)), vectors)


def test_users_and_items_it_never_saw_are_known_by_their_neighbours(checkerboard):
    """Trained on the corner of a checkerboard; the rest of the users and items come later."""
    board = sp.csr_matrix(checkerboard)
    corner = sp.csr_matrix(checkerboard[:30, :30])
    model = GraphSAGEConfig(dimensions=16).build(world_of(corner), seed=1)
    train_model(model, world_of(corner), TrainingConfig(max_epochs=20, batch_size=64), seed=1)
    known = sp.csr_matrix(checkerboard * (np.random.default_rng(1).random((40, 40)) < 0.5))

    grown = model.on(world_of(known))
    scorer, residuals = scorer_of(grown)
    ranking = rank(
        lambda users: scorer.scores(known[users], residuals[users]),
        known,
        sp.csr_matrix(board - known),
        5,
        np.arange(30, 40),
    )

    assert not grown.user_embedding[30:].any()
    assert ranking.hits[:, 0].all()


def test_in_its_own_world_it_is_itself(six_nodes):
    world = world_of(six_nodes, TEXT)
    model = redrawn(GraphSAGEConfig(dimensions=8).build(world, seed=1))

    assert np.array_equal(vectors_of(model.on(world)), vectors_of(model))


def test_a_smaller_world_or_one_without_the_texts_is_refused(six_nodes):
    model = GraphSAGEConfig(dimensions=8).build(world_of(six_nodes), seed=1)

    with pytest.raises(SettingError, match="expected at least the 3 and 3"):
        model.on(world_of(six_nodes[:2]))
    with pytest.raises(SettingError, match="both have texts"):
        model.on(world_of(six_nodes, TEXT))
