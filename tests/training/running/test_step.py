import re

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.batches import given
from tests.training.worlds import world_of
from training.errors import DivergedError
from training.loss import Loss, LossConfig
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.running.batches import Batches
from training.running.step import Step

HERE = given()
BY_ROW = {name: kind() for name, kind in LossConfig.kinds().items() if name != "in_batch_softmax"}
BY_ROW["bsl"] = LossConfig.of("bsl", {"negatives": 16})
"""Losses whose negatives are not the batch's other rows."""


class Overflowing(Loss):
    def __call__(self, users, items, batch) -> torch.Tensor:
        return users.sum() / 0


class Cubic(Loss):
    """Finite at zero, its gradient is not."""

    def __call__(self, users, items, batch) -> torch.Tensor:
        return (users - users.detach()).abs().sqrt().sum()


def after(loss: LossConfig, **settings) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss and the gradients of one step on six rows."""
    model = LightGCN(LightGCNConfig(dimensions=8, init_std=0.5), HERE.world, seed=1)
    built = loss.build(HERE.world)
    with torch.no_grad():
        built.refresh(1, *model())
    step = Step(model, built, torch.optim.SGD(model.parameters(), 0), **settings)
    value = step(HERE.batch, 1, 1)
    gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return value, gradients


@pytest.mark.parametrize("name", BY_ROW)
@pytest.mark.parametrize("accumulation", [2, 4, 9])
def test_parts_give_the_gradients_of_the_whole_batch(name, accumulation):
    value, gradients = after(BY_ROW[name], l2=0.1)

    found, of_parts = after(BY_ROW[name], l2=0.1, accumulation=accumulation)

    assert found == pytest.approx(value, rel=1e-5)
    torch.testing.assert_close(of_parts, gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["in_batch_softmax", "bsl"])
def test_negatives_in_the_batch_are_those_of_the_part(name):
    """What TrainingConfig says of these two: a part is another, smaller question."""
    loss = LossConfig.of(name)

    whole, _ = after(loss)
    found, gradients = after(loss, accumulation=3)

    assert found < whole
    assert all(gradient.isfinite().all() for gradient in gradients.values())


def test_bfloat16_is_near_and_the_parameters_stay_float32():
    loss = LossConfig.of("softmax", {"similarity": "inner_product", "temperature": 1})
    value, exact = after(loss)

    found, rounded = after(loss, bfloat16=True)

    assert found != value
    assert found == pytest.approx(value, rel=0.02)
    for name, gradient in rounded.items():
        assert gradient.dtype == torch.float32
        scale = float(exact[name].abs().max())
        assert not torch.equal(gradient, exact[name])
        torch.testing.assert_close(gradient, exact[name], rtol=0, atol=0.05 * scale)


def broken(loss: Loss, change=None) -> str:
    """What is said of a step on a checkerboard whose model was changed first."""
    graph = sp.csr_matrix(np.indices((8, 8)).sum(axis=0) % 2 == 0, dtype=np.float32)
    world = world_of(graph)
    model = LightGCN(LightGCNConfig(dimensions=4, hops=0), world, seed=1)
    if change:
        with torch.no_grad():
            change(model)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    step = Step(model, loss, torch.optim.SGD(model.parameters(), 1))
    batch = next(iter(Batches(world, 64, 4, seed=1).epoch()))
    with pytest.raises(DivergedError) as raised:
        step(batch, 2, 3)
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.detach(), before[name], equal_nan=True, rtol=0, atol=0)
    return str(raised.value)


def test_rows_that_are_not_finite_are_named():
    def change(model) -> None:
        model.user_embedding[3, 0] = float("nan")
        model.item_embedding[5:7] = float("inf")

    said = broken(LossConfig.of("bpr").build(HERE.world), change)

    assert "in epoch 2, batch 3: the vectors of user 3 and items 5, 6 are not finite" in said


def test_a_loss_that_overflows_on_finite_vectors_says_so_and_names_a_few():
    said = broken(Overflowing())

    assert re.search(r"all vectors are finite, so the loss of users 0, 1, 2, 3, 4 and 3 more", said)


def test_a_gradient_that_is_not_finite_is_noticed_before_the_parameters_move():
    said = broken(Cubic())

    assert said.startswith("the gradient of user_embedding is not finite in epoch 2, batch 3, rows")
