import torch

from tests.training.batches import given
from training.losses.bce import BceConfig


def test_equals_the_formula_pair_by_pair():
    here = given()
    pushed = [
        torch.stack([torch.log(1 - torch.sigmoid(u @ j)) for j in here.drawn]).mean()
        for u, _, _ in here.rows
    ]
    expected = here.mean(
        [
            -torch.log(torch.sigmoid(u @ i)) - 0.3 * push
            for (u, i, _), push in zip(here.rows, pushed, strict=True)
        ]
    )

    loss = BceConfig(negative_weight=0.3).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)
