from dataclasses import replace

import torch

from tests.training.batches import cosine, given
from training.losses.bsl import BslConfig


def test_equals_the_authors_formula_over_the_other_rows_of_the_batch():
    here = given()
    each = []
    for b, (u, i, _) in enumerate(here.rows):
        others = [j for row, (_, j, _) in enumerate(here.rows) if row != b]
        total = torch.stack([torch.exp(cosine(u, j) / 0.3) for j in others]).sum()
        each.append(-torch.log(torch.exp(cosine(u, i) / 0.3) / total**0.84))

    loss = BslConfig(temperature=0.3, tilt=0.84).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), here.mean(each))


def test_equals_the_authors_formula_over_drawn_items():
    here = given()
    each = []
    for u, i, _ in here.rows:
        total = torch.stack([torch.exp(cosine(u, j) / 0.3) for j in here.drawn]).sum()
        each.append(-torch.log(torch.exp(cosine(u, i) / 0.3) / total**1.1))

    loss = BslConfig(temperature=0.3, tilt=1.1, negatives=4).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), here.mean(each))


def test_a_batch_of_one_row_pulls_its_positive_and_stays_finite():
    here = given()
    users = here.users.clone().requires_grad_()
    names = ("user_index", "item_index", "weight", "value")
    batch = replace(here.batch, **{name: getattr(here.batch, name)[:1] for name in names})

    loss = BslConfig().build(here.world)(users, here.items, batch)
    loss.backward()

    assert torch.isfinite(loss) and torch.isfinite(users.grad).all() and users.grad.any()
