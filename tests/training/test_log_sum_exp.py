import pytest
import torch

from training import log_sum_exp as module
from training.log_sum_exp import log_sum_exp


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("length", [1.0, 100.0])
def test_equals_the_formula_in_value_and_gradient(monkeypatch, shifted, length):
    monkeypatch.setattr(module, "BLOCK", 3 * 5)
    generator = torch.Generator().manual_seed(1)
    left, right = (torch.randn(n, 4, generator=generator).double() for n in (8, 5))
    bias = torch.randn(5, generator=generator).double()
    column = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
    shift = torch.tensor([-0.5, 0, -1, float("-inf")] * 2).double()
    toward = torch.randn(8, generator=generator).double()
    sides = [(left * length).requires_grad_(), right.requires_grad_()]

    logits = sides[0] @ right.T + bias
    if shifted:
        addition = torch.zeros(8, 5, dtype=torch.float64)
        addition[torch.arange(8), column] = shift
        logits = logits + addition
    expected = logits.exp().sum(dim=1).log() if length == 1 else torch.logsumexp(logits, 1)
    found = log_sum_exp(*sides, bias, (column, shift) if shifted else None)

    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found @ toward, sides), torch.autograd.grad(expected @ toward, sides)
    )
