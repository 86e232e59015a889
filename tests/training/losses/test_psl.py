import pytest
import torch

from tests.training.batches import cosine, given
from training.losses.psl import PslConfig

FORMULAS = {
    "tanh": lambda d: torch.tanh(d) + 1,
    "atan": lambda d: torch.atan(d) + 1,
    "relu": lambda d: torch.clamp(d + 1, min=0),
}


@pytest.mark.parametrize("activation", FORMULAS)
def test_equals_the_formula_pair_by_pair(activation):
    here, form = given(), FORMULAS[activation]
    each = []
    for u, i, _ in here.rows:
        differences = [(cosine(u, j) - cosine(u, i)) / 2 for j in here.drawn]
        each.append(torch.log(torch.stack([form(d) ** (1 / 0.3) for d in differences]).sum()))

    loss = PslConfig(temperature=0.3, activation=activation).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), here.mean(each))


def test_a_negative_opposite_to_a_perfect_positive_leaves_the_gradient_finite():
    here = given(negatives=1)
    users = here.items[here.batch.item_index[0]].repeat(6, 1).requires_grad_()
    items = here.items.clone()
    items[here.batch.negatives] = -users[0].detach()

    PslConfig(activation="relu").build(here.world)(users, items, here.batch).backward()

    assert torch.isfinite(users.grad).all()
