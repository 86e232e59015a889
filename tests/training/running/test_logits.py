import pytest
import torch

from training.losses.bpr import BprConfig
from training.running.logits import cross_logits, l2_penalty, pair_logits, weighted_mean

LEFT = torch.tensor([[3.0, 4.0], [1.0, 0.0]])
RIGHT = torch.tensor([[0.0, 2.0], [2.0, 0.0]])


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [("cosine", [[1.6, 1.2], [0.0, 2.0]]), ("inner_product", [[16.0, 12.0], [0.0, 4.0]])],
)
def test_pairs_are_the_diagonal_of_all_against_all(similarity, expected):
    config = BprConfig(similarity=similarity, temperature=0.5)

    torch.testing.assert_close(cross_logits(config, LEFT, RIGHT), torch.tensor(expected))
    torch.testing.assert_close(pair_logits(config, LEFT, RIGHT), torch.tensor(expected).diag())


def test_vectors_of_zero_length_have_the_cosine_zero_and_a_gradient():
    zero = torch.zeros(1, 2, requires_grad=True)

    logits = pair_logits(BprConfig(similarity="cosine"), zero, RIGHT[:1])
    logits.sum().backward()

    assert logits.item() == 0
    assert torch.isfinite(zero.grad).all()


def test_means_are_weighted():
    assert weighted_mean(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])) == 2
    assert l2_penalty(LEFT, RIGHT, torch.tensor([1.0, 3.0])) == (29 / 2 + 3 * 5 / 2) / 4
