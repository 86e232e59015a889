import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from training.running.region import Region, side_of

CHAIN = sp.csr_matrix((np.ones(7), ([0, 0, 1, 1, 2, 2, 3], [0, 1, 1, 2, 2, 3, 3])), (4, 5))
"""u0 - i0, and u0 - i1 - u1 - i2 - u2 - i3 - u3; nobody met i4."""


def mask(count: int, *rows: int) -> np.ndarray:
    return np.isin(np.arange(count), rows)


@pytest.mark.parametrize(
    ("hops", "users", "items"),
    [(0, [1], [2]), (1, [1, 2], [1, 2]), (2, [0, 1, 2], [1, 2, 3]), (9, range(4), range(4))],
)
def test_it_grows_by_a_neighbourhood_a_hop(hops, users, items):
    found = Region.around(CHAIN, mask(4, 1), mask(5, 2), hops)

    assert np.flatnonzero(found.users).tolist() == list(users)
    assert np.flatnonzero(found.items).tolist() == list(items)
    assert found.share == (len(users) + len(items)) / 9


def test_pairs_inside_have_both_ends_inside():
    found = Region(mask(4, 0, 1), mask(5, 1))

    assert found.inside(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])).tolist() == [
        False,
        True,
        True,
        False,
    ]


def test_only_its_rows_move_whatever_the_gradients_and_the_decay():
    model = nn.ParameterDict(
        {
            "user": torch.ones(4, 2),
            "item": torch.ones(5, 2),
            "bias": torch.ones(5),
            "projection": torch.ones(3, 2),
            "scale": torch.tensor(1.0),
        }
    )
    optimizer = torch.optim.AdamW(model.parameters(), 0.1, weight_decay=0.5, fused=True)
    Region(mask(4, 1), mask(5, 0, 4)).hold(model, optimizer)

    for _ in range(2):
        optimizer.zero_grad()
        sum(weight.sum() for weight in model.values()).backward()
        optimizer.step()

    moved = {name: (weight != 1).detach().numpy() for name, weight in model.items()}
    assert moved["user"].all(axis=1).tolist() == moved["user"].any(axis=1).tolist()
    assert np.flatnonzero(moved["user"].all(axis=1)).tolist() == [1]
    assert np.flatnonzero(moved["item"].all(axis=1)).tolist() == [0, 4]
    assert np.flatnonzero(moved["bias"]).tolist() == [0, 4]
    assert not moved["projection"].any()
    assert not moved["scale"]


def test_a_parameter_belongs_to_whom_it_has_rows_of():
    assert side_of("anything", torch.ones(4, 2), 4, 5) == "user"
    assert side_of("anything", torch.ones(5), 4, 5) == "item"
    assert side_of("user_projection", torch.ones(3, 2), 4, 5) is None
    assert side_of("item_weight", torch.ones(4, 2), 4, 4) == "item"
    assert side_of("weight", torch.tensor(1.0), 1, 1) is None
