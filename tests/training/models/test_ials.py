from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import ModelContract
from tests.training.worlds import world_of
from training.errors import SettingError
from training.model import ModelConfig
from training.models import ials
from training.models.ials import IALSConfig
from training.running.loop import TrainingConfig, train_model

GRAPH = sp.random_array((30, 20), density=0.2, rng=np.random.default_rng(1), format="csr")
CONFIG = IALSConfig(dimensions=6, unobserved=0.3, ridge=0.1, power=0.8)


def factors(weights, world, config):
    return weights["user_embedding"], weights["item_embedding"]


class TestIALS(ModelContract):
    config = IALSConfig()
    dense = staticmethod(factors)
    propagates = False
    cosine = False
    band = (0.43, 0.47)
    training = TrainingConfig(max_epochs=10)


def objective(users: torch.Tensor, items: torch.Tensor, config: IALSConfig) -> torch.Tensor:
    """The paper's formula on dense arrays."""
    graph = torch.from_numpy(GRAPH.toarray())
    of_users, of_items = (
        (graph.sum(dim=axis) + config.unobserved * count) ** config.power
        for axis, count in ((1, 20), (0, 30))
    )
    largest = torch.linalg.svdvals(of_users[:, None] ** -0.5 * graph * of_items**-0.5)[0]
    penalty = of_users @ users.square().sum(dim=1) + of_items @ items.square().sum(dim=1)
    scores = users @ items.T
    squares = (graph * (scores - 1).square()).sum() + config.unobserved * scores.square().sum()
    return squares + config.ridge * largest * penalty


def solved(config: IALSConfig, sweeps: int):
    model = config.build(world_of(GRAPH), seed=1)
    found = [model.sweep() for _ in range(sweeps)]
    return model, found


@pytest.mark.parametrize("cells", [1, ials.CELLS], ids=["a row at a time", "all at once"])
def test_a_sweep_leaves_no_gradient_on_what_it_solved_last(monkeypatch, cells):
    monkeypatch.setattr(ials, "CELLS", cells)
    model, _ = solved(CONFIG, 3)
    users, items = (half.detach().double().requires_grad_() for half in model())

    of_users, of_items = torch.autograd.grad(objective(users, items, CONFIG), [users, items])

    assert of_items.abs().max() < 1e-4
    assert of_users.abs().max() > 1e-3


def test_what_is_reported_is_the_objective_and_it_only_falls():
    model, found = solved(CONFIG, 8)
    users, items = (half.detach().double() for half in model())

    assert all(later < earlier for earlier, later in pairwise(found))
    expected = objective(users, items, CONFIG).item() / GRAPH.sum()
    assert found[-1] == pytest.approx(expected, rel=1e-4)


def test_the_loop_sweeps_once_an_epoch_and_the_loss_does_not_matter():
    model, found = solved(CONFIG, 4)
    other = CONFIG.build(world_of(GRAPH), seed=1)

    trained = train_model(
        other, world_of(GRAPH), TrainingConfig(max_epochs=4, learning_rate=1), seed=9
    )

    assert [row["loss"] for row in trained.curve] == found
    assert all(torch.equal(a, b) for a, b in zip(model(), other(), strict=True))


def test_a_ridge_just_below_1_learns_on_any_graph_and_from_1_on_nothing():
    below, _ = solved(CONFIG.model_copy(update={"ridge": 0.9}), 60)
    above, _ = solved(CONFIG.model_copy(update={"ridge": 1.1}), 60)

    assert below()[0].norm() > 0.1
    assert above()[0].norm() < 1e-3


def test_another_head_is_refused():
    with pytest.raises(SettingError, match="head is 'bilinear', expected"):
        ModelConfig.of("ials", {"head": "bilinear"})
