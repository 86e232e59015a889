"""What a snapshot's tables become."""

import numpy as np
import pyarrow as pa
import pytest

from graphdb.snapshot import EDGES, read_snapshot
from training.errors import InvalidEventError, NoEventsError
from training.snapshots import (
    snapshot_events,
    snapshot_interactions,
    snapshot_relations,
    snapshot_text,
    snapshot_world,
)


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


def test_events_keep_their_order_and_missing_values_are_nan(make_snapshot):
    rows = [(1, 0, 0.5, 7), (0, 1, 1.0, 30), (0, 1, -1.0, 10)]

    events = snapshot_events(read_snapshot(make_snapshot(rows, 2, 2)))

    assert list(zip(events.user, events.item, events.at, events.weight, strict=True)) == [
        (0, 1, 10, -1.0),
        (0, 1, 30, 1.0),
        (1, 0, 7, 0.5),
    ]
    assert events.types == ("RATED",)
    assert np.isnan(events.value).all()


def test_edges_are_relations_between_rows(make_snapshot):
    edges = pa.table(
        {
            "from_kind": ["item", "item", "user"],
            "from": [0, 1, 0],
            "to_kind": ["Genre", "Genre", "user"],
            "to": [None, None, 1],
            "node": ["War", "Drama", None],
        },
        EDGES,
    )
    path = make_snapshot([(0, 0, 1.0, 0)], 2, 2, edges={"HAS": edges})

    relations, counts = snapshot_relations(read_snapshot(path))

    assert [(r.name, r.start, r.end, r.edge_index.tolist()) for r in relations] == [
        ("HAS", "item", "Genre", [[0, 1], [0, 1]]),
        ("HAS", "user", "user", [[0], [1]]),
    ]
    assert counts == {"Genre": 2}


def test_a_world_is_all_of_it(make_snapshot):
    world = snapshot_world(read_snapshot(make_snapshot([(0, 0, 1.0, 0)], 1, 1, text=[[1.0]])))

    assert world.graph.toarray().tolist() == [[1]]
    assert world.text is not None and world.text.tolist() == [[1]]
    assert world.events is not None and len(world.events) == 1
    assert (world.relations, world.node_counts) == ((), {})
