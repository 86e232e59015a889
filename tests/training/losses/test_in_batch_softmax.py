import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn import functional

from tests.training.worlds import world_of
from training.loss import Batch
from training.losses.in_batch_softmax import InBatchSoftmaxConfig

COUNTS = np.array([2, 4, 6, 5, 3])


@pytest.mark.parametrize("corrected", [True, False])
def test_equals_the_formula_with_one_column_for_each_row_of_the_batch(corrected):
    generator = torch.Generator().manual_seed(1)
    users, items = (torch.randn(6, 8, generator=generator) for _ in range(2))
    user_index, item_index = torch.tensor([0, 1, 1, 4, 0, 2]), torch.tensor([3, 3, 0, 2, 1, 3])
    weight = torch.tensor([1.0, 0.5, 1.0, 0.25, 1.0, 1.0])
    graph = sp.csr_matrix(np.arange(6)[:, None] < COUNTS, dtype=np.float32)
    log_q = torch.log(torch.from_numpy(COUNTS / COUNTS.sum()).float())

    left = functional.normalize(users[user_index], dim=1)
    right = functional.normalize(items[item_index], dim=1)
    logits = left @ right.T / 0.2 - (log_q[item_index] if corrected else 0)
    each = functional.cross_entropy(logits, torch.arange(6), reduction="none")
    expected = (each * weight).sum() / weight.sum()

    loss = InBatchSoftmaxConfig(temperature=0.2, log_q=corrected).build(world_of(graph))
    nothing = torch.empty(0, dtype=torch.int64)
    value = torch.full((6,), torch.nan)
    found = loss(users, items[:5], Batch(user_index, item_index, weight, value, nothing))

    torch.testing.assert_close(found, expected)
