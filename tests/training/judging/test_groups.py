"""Groups: who is in them by column, number, list or node, and what each gets."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse as sp

from graphdb.snapshot import EDGES, Snapshot, read_snapshot, write_snapshot
from training.data import interactions
from training.errors import UnknownPropertyError
from training.judging.evaluation import Ranking
from training.judging.groups import (
    NOTHING,
    activity_properties,
    banded_property,
    column_property,
    find_property,
    item_groups,
    property_names,
    user_groups,
)

AGES = [18, 20, 22, 25, 30, 31, 40, 44, 50, 61, 70, None]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Twelve users with age and gender, three items with a year, a gender and genres as nodes."""
    genres = [("item", 0, "Genre", None, "war"), ("item", 2, "Genre", None, "war")]
    genres += [("item", 2, "Genre", None, "drama")]
    edges = pa.Table.from_pylist(
        [dict(zip(EDGES.names, row, strict=True)) for row in genres],
        pa.schema(
            [pa.field(f.name, pa.string() if f.name != "from" else f.type) for f in EDGES]
        ).set(3, pa.field("to", pa.int32())),
    )
    write_snapshot(
        tmp_path / "s",
        users=pa.table(
            {
                "key": [f"u{n}" for n in range(12)],
                "age": pa.array(AGES, pa.int64()),
                "gender": ["m", "f"] * 6,
            }
        ),
        items=pa.table(
            {
                "id": ["a", "b", "c"],
                "year": pa.array([1990, 1991, 1990], pa.int64()),
                "gender": ["m", None, "f"],
                "text": pa.array([None] * 3, pa.string()),
                "text_vector": pa.array([None] * 3, pa.list_(pa.float32())),
            }
        ),
        events=[],
        edges={"HAS_GENRE": edges},
        domain="films",
        domain_hash="0" * 64,
        cut={},
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return read_snapshot(tmp_path / "s")


def members(made) -> dict[str, list[int]]:
    columns = made.members.T.toarray().astype(bool)
    return {v: np.flatnonzero(c).tolist() for v, c in zip(made.values, columns, strict=True)}


def test_every_column_and_kind_of_node_is_a_property(snapshot):
    assert property_names(snapshot) == [
        *("user.age", "user.gender", "item.year", "item.gender", "item.Genre"),
    ]


def test_a_name_that_only_one_side_has_needs_no_side(snapshot):
    assert members(find_property(snapshot, "year")) == {"1990": [0, 2], "1991": [1]}
    assert members(find_property(snapshot, "item.gender")) == {NOTHING: [1], "f": [2], "m": [0]}
    assert members(find_property(snapshot, "Genre")) == {"war": [0, 2], "drama": [2]}


def test_a_property_that_nobody_has_is_refused_with_those_there_are(snapshot):
    with pytest.raises(
        UnknownPropertyError, match=r"'shoe_size' is not there: expected one of user\.age, .*Genre"
    ):
        find_property(snapshot, "shoe_size")


def test_a_name_of_both_sides_is_refused_with_the_two(snapshot):
    with pytest.raises(UnknownPropertyError, match=r"ambiguous: .* user\.gender, item\.gender$"):
        find_property(snapshot, "gender")


def test_numbers_of_many_values_are_put_in_bands_of_like_size(snapshot):
    found = members(find_property(snapshot, "age"))

    assert list(found) == ["18 to 22", "25 to 30", "31 to 40", "44 to 50", "61 to 70", NOTHING]
    assert sorted(row for rows in found.values() for row in rows) == list(range(12))
    assert found[NOTHING] == [11]


def test_equal_numbers_are_never_parted_and_one_number_is_one_band():
    assert members(banded_property("user.x", "user", np.full(4, 7.0))) == {"7 to 7": [0, 1, 2, 3]}
    found = members(banded_property("user.x", "user", np.array([0.0] * 9 + [1.0])))
    assert found == {"0 to 0": list(range(9)), "1 to 1": [9]}


def test_a_list_puts_a_row_in_several_groups():
    column = pa.chunked_array([pa.array([["x", "y"], ["y"], None], pa.list_(pa.string()))])

    assert members(column_property("item.tags", "item", column)) == {
        "y": [0, 1],
        NOTHING: [2],
        "x": [0],
    }


RANKING = Ranking(
    users=np.array([0, 2]),
    items=np.array([[0, 1], [2, -1]], np.int32),
    hits=np.array([[False, True], [True, False]]),
    relevant=np.array([2, 1]),
)
WANTED = sp.csr_matrix(np.array([[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]], np.float32))


def test_a_group_of_users_has_its_share_and_its_own_means():
    column = pa.chunked_array([["m", "x", "f"]])
    made = column_property("user.gender", "user", column)

    found = user_groups(
        made, RANKING, {"ndcg@2": np.array([0.2, 0.8]), "d@2": np.array([np.nan, 1])}
    )

    assert found == {
        "f": {"users": 1, "share": 0.5, "ndcg@2": 0.8, "d@2": 1.0},
        "m": {"users": 1, "share": 0.5, "ndcg@2": 0.2},
    }


def test_a_group_of_items_has_its_share_of_places_and_how_its_items_are_found():
    made = column_property("item.kind", "item", pa.chunked_array([["a", "b", "b", "c"]]))

    found = item_groups(made, RANKING, WANTED, [2])

    assert found["a"] == {
        "items": 1,
        "catalogue": 0.25,
        "test": 0.0,
        "share@2": pytest.approx(1 / 3),
    }
    assert found["b"] == {
        "items": 2,
        "catalogue": 0.5,
        "test": 1.0,
        "share@2": pytest.approx(2 / 3),
        "recall@2": pytest.approx((1 / 2 + 1) / 2),
        "ndcg@2": pytest.approx((1 / np.log2(3) / (1 + 1 / np.log2(3)) + 1) / 2),
    }
    assert found["c"]["share@2"] == 0.0


def test_everybody_has_an_activity_and_every_item_a_popularity():
    users, items = np.divmod(np.arange(12), 4)
    train = interactions(users[:9], items[:9], 3, 5)

    popularity, activity = activity_properties(train, interactions(users, items, 3, 5))

    assert (popularity.name, activity.name) == ("item.popularity", "user.activity")
    assert members(popularity) == {"0 to 0": [4], "2 to 2": [1, 2, 3], "3 to 3": [0]}
    assert members(activity) == {"4 to 4": [0, 1, 2]}
