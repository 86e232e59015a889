import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import TEXT, redrawn, scorer_of
from tests.training.worlds import full_world, world_of
from training.errors import SettingError
from training.heads import HEADS
from training.model import ModelConfig, unit
from training.models.lightgcn import LightGCNConfig
from training.models.mf import MFConfig
from training.running.loop import TrainingConfig, train_model


def expected_scores(name: str, users, items, weights, graph) -> np.ndarray:
    """Each head's formula, of the vectors below it and the texts."""
    if name == "bilinear":
        return users @ weights["head.user_weight"] @ weights["head.item_weight"].T @ items.T
    texts = TEXT @ weights["projection"]
    of_users = graph @ texts / np.sqrt(graph.sum(axis=1, keepdims=True))
    if name == "fused":
        return users @ items.T + of_users @ texts.T
    share = 1 / (1 + np.exp(-weights["head.logit"]))
    return (share * of_users + (1 - share) * users) @ (share * texts + (1 - share) * items).T


@pytest.mark.parametrize("body", [LightGCNConfig, MFConfig])
@pytest.mark.parametrize("name", HEADS)
def test_the_exported_vectors_score_by_the_formula(six_nodes, name, body):
    config = body(dimensions=8, head=name)
    model = redrawn(config.build(world_of(six_nodes, TEXT), seed=1))
    users, items = (half.detach().numpy() for half in model.model())
    weights = {key: weight.detach().numpy() for key, weight in model.named_parameters()}

    expected = expected_scores(name, users, items, weights, six_nodes.toarray())
    scorer, residuals = scorer_of(model, cosine=False)

    scale = np.abs(expected).max()
    found = scorer.scores(six_nodes, residuals)
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_it_is_trained_by_the_vectors_that_are_exported(six_nodes, name):
    model = redrawn(LightGCNConfig(head=name).build(world_of(six_nodes, TEXT), seed=1))
    users, items = (half.detach().numpy() for half in model())

    scorer, residuals = scorer_of(model)

    found = scorer.scores(six_nodes, residuals)
    np.testing.assert_allclose(found, unit(users) @ unit(items).T, atol=1e-5)


@pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
def test_some_rows_are_those_of_the_whole(six_nodes, text):
    for name, head in HEADS.items():
        if head.reads_text and text is None:
            continue
        model = redrawn(LightGCNConfig(head=name).build(world_of(six_nodes, text), seed=1))
        user_rows, item_rows = torch.tensor([2, 0]), torch.tensor([1])
        users, items = model()

        rows = model.rows(user_rows, item_rows)

        torch.testing.assert_close(rows[0], users[user_rows])
        torch.testing.assert_close(rows[1], items[item_rows])


@pytest.mark.parametrize("name", HEADS)
def test_every_weight_of_a_head_learns(checkerboard, name):
    world = full_world(sp.csr_matrix(checkerboard))
    model = LightGCNConfig(dimensions=8, head=name).build(world, seed=1)
    before = {key: weight.detach().clone() for key, weight in model.named_parameters()}

    train_model(model, world, TrainingConfig(max_epochs=1, weight_decay=0), seed=1)

    assert set(before) > {"model.user_embedding"}
    for key, weight in model.named_parameters():
        assert not torch.equal(weight, before[key]), key


@pytest.mark.parametrize("name", ["fused", "mix"])
def test_a_head_that_reads_texts_needs_some(six_nodes, name):
    with pytest.raises(SettingError, match="expected inner_product or bilinear"):
        LightGCNConfig(head=name).build(world_of(six_nodes), seed=1)


def test_a_head_that_nobody_has_is_refused_with_the_list():
    with pytest.raises(SettingError, match=r"inner_product.*bilinear.*fused.*mix"):
        ModelConfig.of("lightgcn", {"head": "cubic"})
