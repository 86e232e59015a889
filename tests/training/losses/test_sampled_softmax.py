import scipy.sparse as sp
import torch

from tests.training.batches import cosine, given
from tests.training.worlds import world_of
from training.losses.sampled_softmax import SampledSoftmaxConfig


def test_equals_the_formula_where_each_drawn_item_stands_for_its_share_of_the_others():
    here, share = given(negatives=3), (5 - 1) / 3
    expected = here.mean(
        [
            -torch.log(
                torch.exp(cosine(u, i) / 0.3)
                / (
                    torch.exp(cosine(u, i) / 0.3)
                    + share * torch.stack([torch.exp(cosine(u, j) / 0.3) for j in here.drawn]).sum()
                )
            )
            for u, i, _ in here.rows
        ]
    )

    loss = SampledSoftmaxConfig(temperature=0.3, negatives=3).build(here.world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)


def test_of_one_item_nothing_is_to_be_learnt():
    here = given()
    here.batch.item_index[:] = 0
    here.batch.negatives[:] = 0

    loss = SampledSoftmaxConfig(negatives=4).build(world_of(sp.csr_matrix([[1.0]])))

    assert loss(here.users, here.items[:1], here.batch).abs() < 1e-6
