"""Splits: each parts the entries as it says, loses none, and lets nothing of the test leak."""

import numpy as np
import pytest

from training.data import Interactions, interactions
from training.errors import EmptySplitError
from training.splits import (
    NAMES,
    checked,
    given_split,
    latest_split,
    split,
    stratified_split,
)

USERS, ITEMS = 30, 25


@pytest.fixture
def data() -> Interactions:
    """Up to 600 events of 30 users with times, some pairs twice, some users with one entry."""
    generator = np.random.default_rng(3)
    users = np.concatenate([generator.integers(0, USERS - 2, 600), [USERS - 2]])
    items = np.concatenate([generator.integers(0, ITEMS, 600), [4]])
    return interactions(users, items, USERS, ITEMS, at=generator.permutation(601))


def pairs(part: Interactions) -> set[tuple[int, int]]:
    return set(zip(part.user_index.tolist(), part.item_index.tolist(), strict=True))


@pytest.mark.parametrize("kind", NAMES)
def test_no_entry_is_lost_and_none_is_on_both_sides(data, kind):
    found = split(data, kind, 0.1, 1)

    assert pairs(found.history) | pairs(found.test) == pairs(data)
    assert not pairs(found.history) & pairs(found.test)
    assert pairs(found.train) <= pairs(found.history)
    assert 0 < len(found.test) < len(data) / 2


@pytest.mark.parametrize("kind", NAMES)
def test_the_same_seed_gives_the_same_split(data, kind):
    first, again = (pairs(split(data, kind, 0.1, 5).test) for _ in range(2))

    assert first == again


def test_at_random_within_each_user_another_seed_gives_another_part(data):
    found = [split(data, "random", 0.2, seed).test for seed in (1, 2)]

    assert pairs(found[0]) != pairs(found[1])
    counts = np.bincount(data.user_index, minlength=USERS)
    for test in found:
        held = np.bincount(test.user_index, minlength=USERS)
        assert np.array_equal(
            held, np.minimum(np.floor(counts * 0.2 + 0.5), np.maximum(counts - 1, 0))
        )


def test_nothing_that_is_learned_from_is_later_than_what_is_asked_for(data):
    found = split(data, "time", 0.1, 1)

    assert found.train.at is not None and found.test.at is not None
    assert found.train.at.max() < found.test.at.min()
    assert abs(len(found.test) / len(data) - 0.1) < 0.01


def test_entries_of_one_moment_are_never_parted():
    users, items = np.divmod(np.arange(60), 6)
    data = interactions(users, items, 10, 6, at=users // 3)

    found = split(data, "time", 0.1, 1)

    assert found.test.at is not None
    assert set(found.test.at.tolist()) == {3}
    assert len(found.test) == 6


def test_a_last_moment_of_more_than_the_share_is_asked_for_whole():
    users, items = np.divmod(np.arange(60), 6)
    data = interactions(users, items, 10, 6, at=users // 5)

    found = split(data, "time", 0.1, 1)

    assert (len(found.train), len(found.test)) == (30, 30)


@pytest.mark.parametrize("kind", ["latest", "last"])
def test_within_each_user_nothing_learned_from_is_later(data, kind):
    found = split(data, kind, 0.1, 1)

    for user in np.unique(found.test.user_index):
        assert found.train.at is not None and found.test.at is not None
        learned = found.train.at[found.train.user_index == user]
        assert learned.max() < found.test.at[found.test.user_index == user].min()


def test_the_last_entry_of_everybody_with_two_is_left_out(data):
    test = split(data, "last", 0.1, 1).test

    counts = np.bincount(data.user_index, minlength=USERS)
    held = np.bincount(test.user_index, minlength=USERS)
    assert np.array_equal(held, (counts >= 2).astype(int))


def test_nobody_learned_anything_of_the_users_held_out_whole(data):
    found = split(data, "users", 0.2, 1)

    held = np.flatnonzero(found.held_users)
    assert len(held) == round(0.2 * (np.bincount(data.user_index) >= 2).sum())
    assert not np.isin(found.train.user_index, held).any()
    assert set(found.test.user_index.tolist()) == set(held.tolist())
    assert set(found.history.user_index.tolist()) == set(data.user_index.tolist())
    for user in held:
        assert found.history.at is not None and found.test.at is not None
        told = found.history.at[found.history.user_index == user]
        assert told.max() < found.test.at[found.test.user_index == user].min()


def test_each_item_keeps_its_share(data):
    found = split(data, "items", 0.25, 1)

    counts = np.bincount(data.item_index, minlength=ITEMS)
    kept = np.bincount(found.train.item_index, minlength=ITEMS)
    assert np.array_equal(kept, np.round(counts * 0.75))


def test_the_pairs_of_given_files_are_held_out_and_no_others(data):
    listed = sorted(pairs(data))[::7]
    users, items = np.array([*listed, (0, 24), (29, 0)]).T

    found = given_split(data, users, items)

    assert pairs(found.test) == set(listed)
    assert pairs(found.train) == pairs(data) - set(listed)


def test_latest_entries_of_each_user_are_held_out():
    users = np.repeat([0, 1, 2], [10, 20, 1])
    items = np.concatenate([np.arange(10), np.arange(20), [0]])
    at = np.concatenate([np.arange(10)[::-1], np.arange(20), [5]])

    part, held = latest_split(interactions(users, items, 3, 20, at=at), 0.1, seed=1)

    assert list(zip(held.user_index, held.item_index, strict=True)) == [(0, 0), (1, 18), (1, 19)]
    assert len(part) == 28


def test_without_times_the_part_is_random_but_the_same_for_a_seed():
    users, items = np.divmod(np.arange(400), 20)
    data = interactions(users, items, 20, 20)

    held = [latest_split(data, 0.1, seed)[1].item_index.tolist() for seed in (1, 1, 2)]

    assert held[0] == held[1] != held[2]


def test_stratified_split_follows_the_published_protocol(ratings):
    """Counts of python_stratified_split(ratio=.75, filter_by="item", seed=42) on this file."""
    train, test = stratified_split(ratings.item_index, len(ratings.item_ids), 0.75, 42)

    counts = np.bincount(ratings.item_index)
    kept = np.bincount(ratings.item_index[train], minlength=len(counts))
    assert np.array_equal(kept, np.round(counts * 0.75))
    assert sorted(np.concatenate([train, test])) == list(range(len(ratings.item_index)))


@pytest.mark.parametrize("kind", NAMES)
def test_one_entry_cannot_be_split(kind):
    one = interactions(np.array([0]), np.array([0]), 1, 1, at=np.array([5]))

    with pytest.raises(EmptySplitError, match="there is no positive event to"):
        split(one, kind, 0.1, 1)


def test_without_times_there_is_no_moment_to_split_at():
    with pytest.raises(EmptySplitError, match="the events have no times"):
        split(interactions(np.arange(9), np.arange(9), 9, 9), "time", 0.1, 1)


def test_a_test_part_of_dismissals_alone_is_refused(data):
    found = split(data, "latest", 0.1, 1)
    dismissed = interactions(
        found.test.user_index, found.test.item_index, USERS, ITEMS, weight=-np.ones(len(found.test))
    )

    with pytest.raises(EmptySplitError, match="no positive event to ask for"):
        checked(type(found)(found.name, found.train, found.history, dismissed))


@pytest.mark.parametrize("seed", [1, 2])
def test_of_users_with_few_entries_the_share_is_held_of_all_of_them(seed):
    """2,000 users of three entries and 500 of one: a tenth of 6,500 entries is 650."""
    users = np.concatenate([np.repeat(np.arange(2_000), 3), np.arange(2_000, 2_500)])
    items = np.concatenate([np.tile(np.arange(3), 2_000), np.zeros(500, int)])
    data = interactions(users, items, 2_500, 3, at=items * 10.0)

    part, held = latest_split(data, 0.1, seed)

    assert 550 < len(held) < 750
    assert len(part) + len(held) == len(data)
    assert len(set(held.user_index)) == len(held)
    assert set(held.item_index) == {2}
