import pytest
import torch

from tests.training.batches import cosine, given
from training.losses.bpr import BprConfig


@pytest.mark.parametrize("similarity", ["inner_product", "cosine"])
def test_equals_the_formula_pair_by_pair(similarity):
    here, score = given(), {"inner_product": torch.dot, "cosine": cosine}[similarity]
    expected = here.mean(
        [
            torch.stack(
                [-torch.log(torch.sigmoid((score(u, i) - score(u, j)) / 0.5)) for j in here.drawn]
            ).mean()
            for u, i, _ in here.rows
        ]
    )

    loss = BprConfig(similarity=similarity, temperature=0.5).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)
