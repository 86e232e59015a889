from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import ModelContract, redrawn, vectors_of
from tests.training.worlds import full_world, world_of
from training.models.relational import RelationalConfig, relation_matrices
from training.world import Relation


def mixed(weights, world, config):
    """Mean over hops of Σ_r A_r x W_r, with one dense matrix for each relation and way."""
    start = weights["item_embedding"]
    if world.text is not None:
        start = start + world.text @ weights["text_projection"]
    nodes = {"user": weights["user_embedding"], "item": start}
    nodes |= {label: weights[f"attribute_embedding.{label}"] for label in world.node_counts}
    ways = []
    for start_kind, end_kind, matrix in relation_matrices(world):
        ways += [
            (end_kind, start_kind, matrix.toarray()),
            (start_kind, end_kind, matrix.toarray().T),
        ]
    hops = [nodes]
    for hop in range(config.hops):
        after = {kind: np.zeros_like(vectors) for kind, vectors in nodes.items()}
        for mix, (start_kind, end_kind, matrix) in zip(weights["mix"][hop], ways, strict=True):
            weight = sum(c * v for c, v in zip(mix, weights["basis"][hop], strict=True))
            after[end_kind] = after[end_kind] + matrix @ nodes[start_kind] @ weight
        nodes = after
        hops.append(nodes)
    return [sum(hop[kind] for hop in hops) / len(hops) for kind in ("user", "item")]


class TestRelational(ModelContract):
    config = RelationalConfig()
    dense = staticmethod(mixed)
    band = (0.427, 0.447)


def test_agrees_with_the_formula_over_attributes_relations_and_social_edges(six_nodes):
    world, config = full_world(six_nodes), RelationalConfig(dimensions=6)
    model = redrawn(config.build(world, seed=1))
    weights = {name: w.detach().numpy().astype(float) for name, w in model.named_parameters()}

    expected = np.concatenate(mixed(weights, world, config))

    scale = np.abs(expected).max()
    np.testing.assert_allclose(vectors_of(model) / scale, expected / scale, atol=1e-5)


def test_matrices_are_normalised_on_both_sides():
    world = full_world(sp.csr_matrix(np.ones((2, 3), np.float32)))
    named = {(start, end): matrix.toarray() for start, end, matrix in relation_matrices(world)}

    assert set(named) == {("user", "item"), ("item", "Genre"), ("user", "user")}
    np.testing.assert_allclose(named["user", "item"], np.full((2, 3), 6**-0.5), rtol=1e-6)
    half = 2**-0.5
    np.testing.assert_allclose(named["item", "Genre"], [[half, 0], [0, 1], [half, 0]], rtol=1e-6)
    np.testing.assert_allclose(named["user", "user"], [[0, 1], [1, 0]])


@pytest.mark.parametrize("moved", ["genre", "friend", "sequel"])
def test_knowledge_alone_reaches_a_node_without_events(moved):
    """Item 2 and user 1 have no events: what they share or whom they follow moves them."""
    graph = sp.csr_matrix(np.array([[1.0, 1.0, 0], [0, 0, 0]], np.float32))
    edges = {
        "genre": Relation("HAS_GENRE", "item", "Genre", np.array([[0, 2], [0, 0]], np.int32)),
        "friend": Relation("FOLLOWS", "user", "user", np.array([[0], [1]], np.int32)),
        "sequel": Relation("SEQUEL_OF", "item", "item", np.array([[0], [2]], np.int32)),
    }
    world = replace(world_of(graph), relations=(edges[moved],), node_counts={"Genre": 1})
    model = redrawn(RelationalConfig(dimensions=4).build(world, seed=1))
    row = 1 if moved == "friend" else 2 + 2
    table = model.user_embedding if moved == "friend" else model.item_embedding
    before = vectors_of(model)

    with torch.no_grad():
        table[0] += 1

    assert np.abs(vectors_of(model) - before)[row].max() > 1e-3


def test_genres_tell_items_apart_that_nobody_touched():
    """Users like one genre of two; an untouched item of it is put before one of the other."""
    rows = np.arange(20)
    likes = (rows[:, None] % 2 == np.arange(22)[None, :] % 2).astype(np.float32)
    likes[:, 20:] = 0
    world = full_world(sp.csr_matrix(likes))
    world = replace(world, text=None)
    model = TestRelational().trained(world, TestRelational.training)

    users, items = (half.detach().numpy() for half in model())

    scores = users @ items[20:].T
    assert (scores.argmax(axis=1) == rows % 2).all()
