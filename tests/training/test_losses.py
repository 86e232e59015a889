import torch
from torch.nn import functional

from training.losses import in_batch_softmax


def test_equals_the_formula_with_one_column_for_each_row_of_the_batch():
    generator = torch.Generator().manual_seed(1)
    users, items = (torch.randn(5, 8, generator=generator) for _ in range(2))
    user_index, item_index = torch.tensor([0, 1, 1, 4, 0, 2]), torch.tensor([3, 3, 0, 2, 1, 3])
    weight = torch.tensor([1.0, 0.5, 1.0, 0.25, 1.0, 1.0])
    log_q = torch.log(torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15]))

    left = functional.normalize(users[user_index], dim=1)
    right = functional.normalize(items[item_index], dim=1)
    logits = left @ right.T / 0.2 - log_q[item_index]
    each = functional.cross_entropy(logits, torch.arange(6), reduction="none")
    expected = (each * weight).sum() / weight.sum()

    found = in_batch_softmax(users, items, user_index, item_index, weight, log_q, 0.2)

    torch.testing.assert_close(found, expected)
