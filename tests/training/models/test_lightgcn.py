import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.worlds import world_of
from training.evaluation import top_k
from training.loop import TrainingConfig, train_model
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.scorer import Scorer

TEXT = np.random.default_rng(5).normal(size=(3, 6)).astype(np.float32)


def exported_scorer(model: LightGCN, items: int) -> tuple[Scorer, np.ndarray | None]:
    vectors = model.export()
    nothing = sp.csr_matrix((items, items), dtype=np.float32)
    return Scorer(vectors.item_vectors, vectors.event_vectors, nothing, 0.0), vectors.residuals


@pytest.mark.parametrize("hops", [0, 1, 2, 3])
@pytest.mark.parametrize("text", [None, TEXT])
def test_the_exported_scorer_scores_as_the_model(six_nodes, hops, text):
    model = LightGCN(
        LightGCNConfig(dimensions=8, hops=hops, init_std=1.0), world_of(six_nodes, text), seed=2
    )
    scorer, residuals = exported_scorer(model, 3)

    users, items = (torch.nn.functional.normalize(half, dim=1) for half in model())

    expected = (users @ items.T).detach().numpy()
    np.testing.assert_allclose(scorer.scores(six_nodes, residuals), expected, atol=1e-5)


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

    assert np.isfinite(vectors.item_vectors).all()
    assert vectors.residuals is not None and not vectors.residuals[1].any()
    assert not vectors.item_vectors[2].any()


def test_learns_the_checkerboard_from_three_quarters_of_it(checkerboard):
    kept = np.random.default_rng(1).random(checkerboard.shape) < 0.75
    graph = sp.csr_matrix(checkerboard * kept)
    model = LightGCN(LightGCNConfig(dimensions=16), world_of(graph), seed=1)
    train_model(model, world_of(graph), TrainingConfig(max_epochs=40, batch_size=64), seed=1)
    scorer, residuals = exported_scorer(model, 40)

    first = top_k(scorer.scores(graph, residuals), graph, 1)

    assert all((row % 2 == user % 2).all() for user, row in enumerate(first))
