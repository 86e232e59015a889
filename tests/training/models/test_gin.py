import numpy as np
import torch
from torch import nn

from tests.training.models.contract import ModelContract, redrawn, sparse_graph
from tests.training.models.layers import adjacency_of, edges_of, nodes_of
from tests.training.worlds import full_world, world_of
from training.models.gin import GINConfig


def sums_read_by_networks(weights, world, config):
    users = world.graph.shape[0]
    nodes = nodes_of(weights, world)
    for hop in range(config.hops):
        looped = adjacency_of(world.graph) + (1 + weights["epsilon"][hop]) * np.eye(len(nodes))
        inner = looped @ nodes @ weights[f"inner.{hop}"]
        inner = (inner - inner.mean(axis=0)) / inner.std(axis=0)
        nodes = np.maximum(inner, 0) @ weights[f"outer.{hop}"]
    return nodes[:users], nodes[users:]


class TestGIN(ModelContract):
    config = GINConfig()
    dense = staticmethod(sums_read_by_networks)
    band = (0.31, 0.36)


def test_equals_pygs_layer(six_nodes):
    from torch_geometric.nn import GINConv

    # PyG sums neighbours without weights.
    graph = six_nodes.sign()
    model = redrawn(GINConfig(dimensions=8, hops=1).build(world_of(graph), seed=1))
    inner, outer = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
    inner.weight.data, outer.weight.data = model.inner[0].data.T, model.outer[0].data.T
    norm = nn.BatchNorm1d(8, eps=1e-12, affine=False, track_running_stats=False)
    layer = GINConv(nn.Sequential(inner, norm, nn.ReLU(), outer), eps=model.epsilon.item())

    nodes = layer(torch.cat(model.hop_zero()), edges_of(graph)[0])

    torch.testing.assert_close(torch.cat(model()), nodes)


def test_who_has_neither_edges_nor_text_is_at_zero():
    model = redrawn(GINConfig(dimensions=8).build(world_of(sparse_graph()), seed=1))
    texts = redrawn(GINConfig(dimensions=8).build(full_world(sparse_graph()), seed=1))

    for users, items in (model(), texts()):
        assert not users[4].any()
        assert users[:4].any(dim=1).all()
        assert items[:7].any(dim=1).all()
    assert not model()[1][7].any()
    assert texts()[1][7].any()
