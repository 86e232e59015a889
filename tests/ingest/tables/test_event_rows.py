"""Rows out of columns: ids follow from content and occurrence, and from nothing else."""

from ingest.tables.event_rows import OPTIONAL, WHO_WHAT_WHEN, event_rows, properties_of
from ingest.tables.occurrences import Occurrences


def parts(*users, **given):
    found = {name: [None] * len(users) for name in OPTIONAL}
    found |= dict(
        zip(
            WHO_WHAT_WHEN,
            (["rated"] * len(users), list(users), ["i"] * len(users), [7] * len(users)),
            strict=True,
        )
    )
    return found | given


def test_equal_rows_are_events_of_their_own():
    rows = event_rows(parts("a", "a", "b"), [7, 7, 7], 9, Occurrences())
    ids = [row["event_id"] for row in rows]

    assert len(set(ids)) == 3 and ids[1] == f"{ids[0]}-1"
    assert [
        row["event_id"] for row in event_rows(parts("a", "a", "b"), [7] * 3, 8, Occurrences())
    ] == ids


def test_an_id_depends_on_the_whole_content_and_a_given_one_stays():
    first = event_rows(parts("a"), [7], 9, Occurrences())[0]
    other = event_rows(parts("a", value=[1.0]), [7], 9, Occurrences())[0]
    given = event_rows(parts("a", "b", event_id=["x", None]), [7, 7], 9, Occurrences())

    assert first["event_id"] != other["event_id"]
    assert given[0]["event_id"] == "x" and len(given[1]["event_id"]) == 32


def test_properties_leave_out_what_is_missing():
    assert properties_of({"b": [None], "a": ["x"]}, 0) == '{"a":"x"}'
    assert properties_of({"b": [None]}, 0) is None
