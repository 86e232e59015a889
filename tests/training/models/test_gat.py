from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.models.contract import ModelContract, redrawn
from tests.training.worlds import full_world, world_of
from training.errors import SettingError
from training.event_edges import event_edges
from training.models.gat import GATConfig

SIX = GATConfig(dimensions=6, hops=2, heads=2, attention_dimensions=3)


def attended(weights, world, config, shares=None):
    """GAT edge by edge: the vectors, and with a list in `shares` each hop's α by edge and head."""
    edges = event_edges(world)
    users = world.graph.shape[0]
    pairs = [
        (int(u), users + int(i), f)
        for u, i, f in zip(edges.user, edges.item, edges.features, strict=True)
    ]
    arrows = [(a, b, f) for a, b, f in pairs] + [(b, a, f) for a, b, f in pairs]
    start = weights["item_embedding"]
    if world.text is not None:
        start = start + world.text @ weights["text_projection"]
    nodes = np.concatenate([weights["user_embedding"], start])
    hops, (heads, k) = [nodes], (config.heads, config.attention_dimensions)
    for hop in range(config.hops):

        def of(name, node, nodes=nodes, hop=hop):
            return nodes[node] @ weights[name][hop][int(node >= users)]

        logits = np.empty((len(arrows), heads))
        for row, (j, i, f) in enumerate(arrows):
            inner = of("start_weight", j) + of("end_weight", i) + f @ weights["feature_weight"][hop]
            inner = np.where(inner > 0, inner, 0.2 * inner).reshape(heads, k)
            logits[row] = (inner * weights["attention_weight"][hop][:, :, 0]).sum(axis=1)
        raised, after = np.exp(logits), np.zeros_like(nodes)
        ends = np.array([end for _, end, _ in arrows])
        alpha = raised / np.stack([raised[ends == end].sum(axis=0) for end in ends])
        for (j, i, _), share in zip(arrows, alpha, strict=True):
            after[i] += np.repeat(share, nodes.shape[1] // heads) * nodes[j]
        if shares is not None:
            shares.append(alpha)
        nodes = after
        hops.append(nodes)
    return np.split(sum(hops) / len(hops), [users])


class TestGAT(ModelContract):
    config = GATConfig()
    dense = staticmethod(attended)
    band = (0.436, 0.456)


def test_attention_is_the_share_of_each_event_in_its_person():
    world = full_world(sp.csr_matrix(np.array([[1.0, 0.5, 0], [0, 1.0, 0.25], [0, 0, 0]])))
    model = redrawn(SIX.build(world, seed=1))
    weights = {
        name: weight.detach().numpy().astype(float) for name, weight in model.named_parameters()
    }
    shares = []
    attended(weights, world, SIX, shares)

    found = model.attention()

    np.testing.assert_allclose(found, np.mean(shares, axis=(0, 2))[4:], atol=1e-6)
    sums = np.bincount(model.events.user, found, minlength=3)
    np.testing.assert_allclose(sums, [1, 1, 0], atol=1e-6)


def test_what_is_known_of_an_event_moves_its_attention():
    """The same pairs, one event rated otherwise: its features are all that differ."""
    graph = sp.csr_matrix(np.ones((2, 3), np.float32))
    world = full_world(graph)
    model = redrawn(SIX.build(world, seed=1))
    world.events.value[0] += 3
    again = redrawn(SIX.build(world, seed=1))

    assert np.abs(model.attention() - again.attention()).max() > 1e-3


def test_learns_which_events_to_heed(checkerboard):
    """What a person rated high is of their kind; low ratings are of any, and tell nothing."""
    generator = np.random.default_rng(1)
    kept, noise = (generator.random(checkerboard.shape) < share for share in (0.4, 0.2))
    liked = checkerboard * kept
    graph = sp.csr_matrix(np.maximum(liked, 0.2 * noise))
    world = full_world(graph)
    rated_high = liked[world.events.user, world.events.item] > 0
    world.events.value[:] = np.where(rated_high, 5, 1)
    world = replace(world, text=None)
    model = TestGAT().trained(world, TestGAT.training)

    attention = model.attention()

    assert attention[rated_high].mean() > 2 * attention[~rated_high].mean()


def test_heads_that_do_not_divide_the_dimensions_are_refused(six_nodes):
    with pytest.raises(SettingError, match="heads is 3, expected a divisor of dimensions"):
        GATConfig(dimensions=64, heads=3).build(world_of(six_nodes), seed=1)
