"""A base snapshot: who is unchanged in it, and their events under the later snapshot's rows."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from graphdb.events.events import save_events
from graphdb.export.earlier import EarlierSnapshot, Member
from graphdb.export.export import export_snapshot
from graphdb.snapshot import SnapshotError
from tests.rows import event_row

ROWS = [event_row("ann", "1"), event_row("ann", "2", 1, value=3.0), event_row("bob", "2")]


@pytest.fixture
def base(graph, domain, tmp_path):
    """Two people's snapshot, and their members."""
    save_events(graph, domain, "api", ROWS)
    export_snapshot(graph, domain, tmp_path / "s")
    table = pq.read_table(tmp_path / "s" / "members.parquet").to_pylist()
    members = [Member(m["key"], m["event_count"], m["removed_count"]) for m in table]
    return tmp_path / "s", members


def test_a_member_with_other_counters_or_company_has_changed(base, domain):
    directory, (first, second) = base
    earlier = EarlierSnapshot(directory, domain, {"1": 0, "2": 1})

    assert [earlier.unchanged([m]) for m in (first, second)] == [0, 1]
    assert earlier.unchanged([Member(first.key, first.event_count + 1, 0)]) is None
    assert earlier.unchanged([Member(first.key, first.event_count, 1)]) is None
    assert earlier.unchanged([Member("new", 1, 0)]) is None
    assert earlier.unchanged([first, second]) is None


def test_events_are_given_under_the_later_rows(base, domain):
    directory, members = base
    ann = next(n for n, member in enumerate(members) if member.event_count == 2)
    earlier = EarlierSnapshot(directory, domain, {"1": 5, "2": 6})

    user, item, kind, _, value = earlier.events(np.array([ann]), np.array([40]))

    assert (user.tolist(), item.tolist(), kind.tolist()) == ([40, 40], [5, 6], [0, 0])
    assert value.tolist()[1] == 3.0
    assert all(len(column) == 0 for column in earlier.events(np.array([]), np.array([])))


def test_an_item_that_is_gone_is_refused(base, domain):
    with pytest.raises(SnapshotError, match="no longer in the catalogue"):
        EarlierSnapshot(base[0], domain, {}).events(np.array([0, 1]), np.array([0, 1]))
