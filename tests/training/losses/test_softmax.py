import torch

from tests.training.batches import cosine, given
from training.losses.softmax import SoftmaxConfig


def test_equals_the_formula_over_every_item():
    here = given()
    expected = here.mean(
        [
            -torch.log(
                torch.exp(cosine(u, i) / 0.3)
                / torch.stack([torch.exp(cosine(u, j) / 0.3) for j in here.items]).sum()
            )
            for u, i, _ in here.rows
        ]
    )

    loss = SoftmaxConfig(temperature=0.3).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)
