import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import TEXT, ModelContract, redrawn, scorer_of, vectors_of
from tests.training.worlds import world_of
from training.model import unit
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.running.loop import TrainingConfig, train_model


def mean_over_hops(weights, world, config):
    graph = world.graph.toarray().astype(float)
    users, items = weights["user_embedding"], weights["item_embedding"]
    if world.text is not None:
        items = items + world.text @ weights["text_projection"]
    nodes = np.concatenate([users, items])
    adjacency = np.block([[np.zeros((3, 3)), graph], [graph.T, np.zeros((3, 3))]])
    scale = np.diag(adjacency.sum(axis=1) ** -0.5)
    hops = [np.linalg.matrix_power(scale @ adjacency @ scale, hop) for hop in range(3)]
    return np.split(sum(hops) @ nodes / 3, 2)


class TestLightGCN(ModelContract):
    config = LightGCNConfig(hops=2)
    dense = staticmethod(mean_over_hops)
    band = (0.42, 0.44)


@pytest.mark.parametrize("hops", [0, 1, 3])
@pytest.mark.parametrize("text", [None, TEXT])
def test_the_exported_scorer_scores_as_the_model_at_any_depth(six_nodes, hops, text):
    config = LightGCNConfig(dimensions=8, hops=hops)
    model = redrawn(LightGCN(config, world_of(six_nodes, text)))
    users, items = np.split(unit(vectors_of(model)), 2)

    scorer, residuals = scorer_of(model)

    np.testing.assert_allclose(scorer.scores(six_nodes, residuals), users @ items.T, atol=1e-5)


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
@pytest.mark.parametrize("text", [None, TEXT])
def test_some_rows_equal_those_of_the_whole_in_vectors_and_gradients(six_nodes, hops, text):
    config = LightGCNConfig(dimensions=8, hops=hops, init_std=1.0)
    model = LightGCN(config, world_of(six_nodes, text), seed=2)
    user_rows, item_rows = torch.tensor([1]), torch.tensor([0, 2])
    toward = torch.randn(3, 8, generator=torch.Generator().manual_seed(1))

    users, items = model()
    vectors = {
        "rows": torch.cat(model.rows(user_rows, item_rows)),
        "whole": torch.cat([users[user_rows], items[item_rows]]),
    }
    gradients = {
        name: torch.autograd.grad((found * toward).sum(), list(model.parameters()))
        for name, found in vectors.items()
    }

    torch.testing.assert_close(vectors["rows"], vectors["whole"], atol=1e-6, rtol=0)
    torch.testing.assert_close(gradients["rows"], gradients["whole"], atol=1e-6, rtol=0)


def test_an_untouched_item_keeps_the_direction_of_its_text():
    graph = sp.csr_matrix(np.array([[1.0, 1.0, 0]], np.float32))
    model = LightGCN(LightGCNConfig(dimensions=8), world_of(graph, TEXT), seed=1)
    train_model(model, world_of(graph), TrainingConfig(max_epochs=3), seed=1)

    exported = model.export().item_vectors[2]
    text = TEXT[2] @ model.text_projection.detach().numpy()

    np.testing.assert_allclose(exported, text / np.linalg.norm(text), atol=1e-6)


def test_users_without_edges_and_items_without_text_have_zero_vectors():
    graph = sp.csr_matrix(np.array([[1.0, 1.0, 0], [0, 0, 0]], np.float32))
    model = LightGCN(LightGCNConfig(dimensions=8), world_of(graph), seed=1)
    train_model(model, world_of(graph), TrainingConfig(max_epochs=2), seed=1)

    vectors = model.export()

    assert vectors.residuals is not None and not vectors.residuals[1].any()
    assert not vectors.item_vectors[2].any()
