import numpy as np

from training.data import interactions, latest_split, stratified_split


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
