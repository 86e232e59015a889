import pytest
import torch

from training.running import log_sum_exp as module
from training.running.log_sum_exp import weighted_log_sum_exp

ROWS, COLUMNS = 8, 5


@pytest.fixture(params=["one block", "blocks of three rows"])
def blocks(request, monkeypatch):
    if request.param != "one block":
        monkeypatch.setattr(module, "BLOCK", {"cpu": 3 * COLUMNS})
        monkeypatch.setattr(module, "ROWS", 1)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("length", [1.0, 100.0])
def test_equals_the_formula_in_value_and_gradients(length, shifted, beside):
    generator = torch.Generator().manual_seed(1)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    bias, more = drawn(COLUMNS), drawn(ROWS).requires_grad_()
    column = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
    shift = torch.tensor([-0.5, 0, -1, -torch.inf] * 2).double()
    left, right, weight = (drawn(ROWS, 4) * length, drawn(COLUMNS, 4), drawn(ROWS))
    given = [x.requires_grad_() for x in (left, right, weight)]

    logits = left @ right.T + bias
    if shifted:
        addition = torch.zeros_like(logits)
        addition[torch.arange(ROWS), column] = shift
        logits = logits + addition
    if beside:
        logits, given = torch.cat([logits, more[:, None]], dim=1), [*given, more]
    found = weighted_log_sum_exp(
        left,
        right,
        weight,
        bias,
        own=(column, shift) if shifted else None,
        beside=more if beside else None,
    )
    rows = logits.exp().sum(dim=1).log() if length == 1 else torch.logsumexp(logits, 1)
    expected = weight @ rows

    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(3 * found, given), torch.autograd.grad(3 * expected, given)
    )


def test_the_matrix_of_logits_is_not_kept():
    """Of 4 MB of logits, what backward needs is the gradients of the two sides."""
    left, right = (torch.randn(1_000, 4, requires_grad=True) for _ in range(2))
    kept = []

    with torch.autograd.graph.saved_tensors_hooks(
        lambda x: kept.append(x.nbytes) or x, lambda x: x
    ):
        weighted_log_sum_exp(left, right, torch.ones(1_000))

    assert 0 < sum(kept) < 50_000
