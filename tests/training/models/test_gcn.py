import numpy as np
import torch

from tests.training.models.contract import ModelContract, redrawn
from tests.training.models.layers import adjacency_of, edges_of, nodes_of
from tests.training.worlds import world_of
from training.models.gcn import GCNConfig


def convolutions(weights, world, config):
    users = world.graph.shape[0]
    looped = adjacency_of(world.graph) + np.eye(sum(world.graph.shape))
    scale = np.diag(looped.sum(axis=1) ** -0.5)
    nodes = nodes_of(weights, world)
    for hop in range(config.hops):
        nodes = scale @ looped @ scale @ nodes @ weights[f"weights.{hop}"]
        nodes = nodes if hop + 1 == config.hops else np.maximum(nodes, 0)
    return nodes[:users], nodes[users:]


class TestGCN(ModelContract):
    config = GCNConfig()
    dense = staticmethod(convolutions)
    band = (0.3, 0.34)


def test_equals_two_of_pygs_layers(six_nodes):
    from torch_geometric.nn import GCNConv

    model = redrawn(GCNConfig(dimensions=8).build(world_of(six_nodes), seed=1))
    edges, weight = edges_of(six_nodes)
    nodes = torch.cat(model.hop_zero())
    for hop, own in enumerate(model.weights):
        layer = GCNConv(8, 8, bias=False)
        layer.lin.weight.data = own.data.T
        nodes = layer(nodes.relu() if hop else nodes, edges, weight)

    torch.testing.assert_close(torch.cat(model()), nodes)
