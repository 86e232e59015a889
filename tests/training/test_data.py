import numpy as np
import pytest

from graphdb.snapshot import read_snapshot
from training.data import (
    interactions,
    latest_split,
    snapshot_interactions,
    snapshot_text,
    stratified_split,
)
from training.errors import InvalidEventError, NoEventsError


def test_events_of_a_pair_are_summed_and_only_the_graph_is_capped(make_snapshot):
    rows = [(0, 1, 1.0, 10), (0, 1, 1.0, 30), (0, 0, -1.0, 20), (1, 0, 0.25, 5)]
    data = snapshot_interactions(read_snapshot(make_snapshot(rows, 2, 2)))

    assert data.history().toarray().tolist() == [[-1, 2], [0.25, 0]]
    assert data.graph().toarray().tolist() == [[0, 1], [0.25, 0]]
    assert data.at is not None and data.at.tolist() == [20, 30, 5]
    assert data.popularity().tolist() == [0.25, 2]


def test_items_without_text_have_a_zero_vector(make_snapshot):
    text = [[1.0, 2.0], None]
    found = snapshot_text(read_snapshot(make_snapshot([(0, 0, 1.0, 0)], 1, 2, text=text)))

    assert found is not None and found.tolist() == [[1, 2], [0, 0]]


def test_without_any_text_there_are_no_text_vectors(make_snapshot):
    assert snapshot_text(read_snapshot(make_snapshot([(0, 0, 1.0, 0)], 1, 1))) is None


@pytest.mark.parametrize("rows", [[], [(0, 0, -1.0, 0)]])
def test_nothing_positive_is_refused_in_one_sentence(make_snapshot, rows):
    with pytest.raises(NoEventsError, match="nothing to learn from"):
        snapshot_interactions(read_snapshot(make_snapshot(rows, 1, 1)))


def test_a_weight_that_is_not_finite_is_refused_with_its_row(make_snapshot):
    rows = [(0, 0, 1.0, 0), (0, 1, float("nan"), 1)]
    with pytest.raises(InvalidEventError, match=r"events.parquet, row 1: weight is nan"):
        snapshot_interactions(read_snapshot(make_snapshot(rows, 1, 2)))


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
