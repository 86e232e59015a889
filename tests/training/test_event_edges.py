from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from tests.training.worlds import full_world, world_of
from training.event_edges import event_edges
from training.world import Events, World

GRAPH = sp.csr_matrix(np.array([[1.0, 0.5], [0, 0.25]], np.float32))
HOUR_US = 3_600_000_000


def eventful(**changed) -> World:
    """Pair (0, 0) met twice, (0, 1) once and unrated, (1, 1) once; the last event is negative."""
    columns = {
        "user": np.array([0, 0, 0, 1, 1], np.int32),
        "item": np.array([0, 0, 1, 1, 1], np.int32),
        "type": np.array([0, 1, 1, 0, 0], np.int8),
        "value": np.array([4.0, np.nan, np.nan, 2.0, 1.0]),
        "at": np.array([0, 24, 48, 48, 49]) * HOUR_US,
        "weight": np.array([1, 0.5, 0.5, 0.25, -1], np.float32),
    }
    return replace(world_of(GRAPH), events=Events(**columns | changed, types=("RATED", "VIEWED")))


def test_each_event_of_positive_weight_is_an_edge():
    edges = event_edges(eventful())

    assert edges.event is not None and edges.event.tolist() == [0, 1, 2, 3]
    assert edges.user.tolist() == [0, 0, 0, 1]
    assert edges.item.tolist() == [0, 0, 1, 1]


def test_features_are_type_value_age_and_weight_each_standardised():
    features = event_edges(eventful()).features

    rated, viewed, value, valued, age, weight = features.T
    np.testing.assert_allclose(rated, [1, -1, -1, 1])
    np.testing.assert_allclose(viewed, -rated)
    np.testing.assert_allclose(valued, rated)
    np.testing.assert_allclose(value, np.sqrt(2) * np.array([1, 0, 0, -1]), atol=1e-6)
    # Days before the last event that counts: 2, 1, 0, 0.
    days = np.log1p([2, 1, 0, 0])
    np.testing.assert_allclose(age, (days - days.mean()) / days.std(), rtol=1e-5)
    assert np.argsort(weight).tolist()[::3] == [3, 0]


def test_what_does_not_vary_is_zero():
    same = {"value": np.full(5, 3.0), "at": np.zeros(5, np.int64), "type": np.zeros(5, np.int8)}

    features = event_edges(eventful(**same)).features

    assert not features[:, :5].any()
    assert features[:, 5].any()


def test_events_of_pairs_that_are_not_known_are_no_edges():
    world = eventful()
    part = world.with_interactions(world.interactions.take(np.array([True, False, True])))

    assert event_edges(part).event.tolist() == [0, 1, 2]
    assert event_edges(part).item.tolist() == [0, 0, 1]


def test_without_events_each_pair_is_an_edge_with_its_weight():
    edges = event_edges(world_of(GRAPH))

    assert edges.event is None
    assert list(zip(edges.user.tolist(), edges.item.tolist(), strict=True)) == [
        (0, 0), (0, 1), (1, 1),
    ]  # fmt: skip
    np.testing.assert_allclose(edges.features[:, 0], np.array([1, 0, -1]) * np.sqrt(1.5), rtol=1e-5)


def test_a_full_world_has_as_many_edges_as_events():
    world = full_world(GRAPH)

    assert len(event_edges(world).features) == len(world.events)
