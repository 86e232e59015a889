import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.batches import given
from tests.training.worlds import full_world
from training.running.batches import Batches, parts


def batches(seed: int = 1) -> Batches:
    graph = sp.csr_matrix(np.arange(1, 13, dtype=np.float32).reshape(3, 4) / 12)
    return Batches(full_world(graph), size=5, negatives=3, seed=seed)


def columns(found) -> list[list]:
    names = ("user_index", "item_index", "weight", "value", "negatives")
    return [[getattr(batch, name).tolist() for name in names] for batch in found]


def test_an_epoch_holds_every_positive_once_in_an_order_of_its_own():
    made = batches()
    first, second = list(made.epoch()), list(made.epoch())

    assert [len(batch.weight) for batch in first] == [5, 5, 2]
    assert len(made) == 3
    pairs = {
        (int(user), int(item)): round(float(weight) * 12)
        for batch in first
        for user, item, weight in zip(batch.user_index, batch.item_index, batch.weight, strict=True)
    }
    assert pairs == {(user, item): user * 4 + item + 1 for user in range(3) for item in range(4)}
    assert columns(first) != columns(second)


def test_the_seed_decides():
    assert columns(batches(1).epoch()) == columns(batches(1).epoch())
    assert columns(batches(1).epoch()) != columns(batches(2).epoch())


def test_an_interrupted_epoch_goes_on_and_the_next_one_is_the_same():
    whole, cut = batches(), batches()
    list(whole.epoch())
    second = columns(whole.epoch())
    third = columns(whole.epoch())
    list(cut.epoch())
    next(iter(cut.epoch()))

    other = batches(seed=9)
    other.load_state(cut.state)

    assert columns(other.epoch(done=1)) == second[1:]
    assert columns(other.epoch()) == third


def test_parts_hold_each_row_once_and_shares_of_the_weight():
    batch = given().batch

    found = parts(batch, 4)

    assert torch.cat([part.user_index for part, _ in found]).equal(batch.user_index)
    assert torch.cat([part.item_index for part, _ in found]).equal(batch.item_index)
    for part, share in found:
        assert share == float(part.weight.sum() / batch.weight.sum())
        assert part.negatives.equal(batch.negatives)


def test_a_part_without_rows_has_a_row_that_counts_nothing():
    found = parts(given().batch, 8)

    assert [share for _, share in found[6:]] == [0, 0]
    assert all(len(part.weight) == 1 for part, _ in found)
    assert sum(share for _, share in found) == pytest.approx(1)
