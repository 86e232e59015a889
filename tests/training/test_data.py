import numpy as np

from training.data import interactions


def test_events_of_a_pair_are_one_entry_with_their_sum_and_the_latest_time():
    users, items = np.array([1, 0, 1, 1]), np.array([2, 1, 0, 2])
    weight, at = np.array([1.0, -1.0, 0.5, 2.0]), np.array([9, 4, 3, 7])
    seen = np.array([False, True, False, True])

    data = interactions(users, items, 3, 4, weight=weight, at=at, seen=seen, weight_cap=2.0)

    assert data.at is not None
    columns = (data.user_index, data.item_index, data.weight, data.at, data.seen)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (0, 1, -1.0, 4, True),
        (1, 0, 0.5, 3, False),
        (1, 2, 3.0, 9, True),
    ]
    assert data.graph().toarray().tolist() == [[0] * 4, [0.5, 0, 2, 0], [0] * 4]
    assert data.history().toarray().tolist() == [[0, -1, 0, 0], [0.5, 0, 3, 0], [0] * 4]
    assert data.popularity().tolist() == [0.5, 0, 3, 0]


def test_what_is_taken_keeps_users_and_items_in_their_rows():
    data = interactions(np.array([0, 2]), np.array([1, 3]), 3, 4)

    part = data.take(data.user_index == 2)

    assert (part.user_count, part.item_count, len(part)) == (3, 4, 1)
    assert part.history().toarray()[2].tolist() == [0, 0, 0, 1]
