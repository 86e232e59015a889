"""What is known of a world of which only a part is."""

import numpy as np

from training.data import interactions
from training.world import Events, World


def test_the_events_of_pairs_that_are_not_known_are_gone():
    user, item = np.array([0, 0, 1], np.int32), np.array([0, 1, 1], np.int32)
    events = Events(
        user, item, np.zeros(3, np.int8), np.ones(3), np.arange(3), np.ones(3, np.float32), ("A",)
    )
    data = interactions(user, item, 2, 2)
    world = World(data, events=events)

    part = world.with_interactions(data.take(np.array([True, False, True])))

    assert part.events is not None
    assert part.events.at.tolist() == [0, 2]
    assert part.graph.toarray().tolist() == [[1, 0], [0, 1]]
    assert world.graph.nnz == 3


def test_a_positive_pair_has_the_value_of_its_latest_rating():
    user, item = np.array([0, 0, 0, 1], np.int32), np.array([1, 1, 0, 1], np.int32)
    values = np.array([2.0, 4.0, np.nan, 5.0])
    events = Events(
        user,
        item,
        np.zeros(4, np.int8),
        values,
        np.array([9, 3, 1, 2]),
        np.ones(4, np.float32),
        ("A",),
    )
    data = interactions(user, item, 2, 2)

    found = World(data, events=events).positive_values

    assert np.array_equal(found, [np.nan, 2.0, 5.0], equal_nan=True)
    assert np.isnan(World(data).positive_values).all()
