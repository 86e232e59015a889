"""Files of events: every row an event or a reject, in order, with the same ids each time."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from graphdb.domain import parse_domain
from graphdb.events.event_row import micros
from graphdb.file_specs import EventFiles
from ingest.errors import DatasetError
from ingest.event import read_events
from ingest.tables.event_table import EventTable, read_table

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SHOP = parse_domain(
    """
name = "shop"
[item]
label = "Article"
[events.viewed]
relationship = "VIEWED"
[events.bought]
relationship = "BOUGHT"
[events.returned]
relationship = "RETURNED"
""",
    "shop",
)
HEADER = "user_id,item_id,event_type,occurred_at,value\n"
GOOD = "u1,i1,viewed,2025-01-01T10:00:00Z,2\n"


def read(path, spec=None, size=2, **given):
    batches = list(read_table(path, SHOP, spec or EventFiles(), NOW, size=size, **given))
    rows = [row for batch in batches for row in batch.rows]
    seqs = [seq for batch in batches for seq in batch.seqs]
    return rows, seqs, [row for batch in batches for row in batch.rejected], batches


def test_rows_are_as_single_events_are_judged(tmp_path):
    (tmp_path / "e.csv").write_text(HEADER + GOOD)
    (row,), seqs, rejected, _ = read(tmp_path / "e.csv")
    raw = {
        "event_id": row["event_id"],
        "event_type": "viewed",
        "user_id": "u1",
        "item_id": "i1",
        "occurred_at": "2025-01-01T10:00:00Z",
        "value": 2.0,
    }

    assert read_events(SHOP, [raw], NOW).rows == [row]
    assert (seqs, rejected) == ([0], [])


BAD = [
    (",i1,viewed,2025-01-01,2", "user_id", "missing_field"),
    ("u1,,viewed,2025-01-01,2", "item_id", "missing_field"),
    ("u1,i1,eaten,2025-01-01,2", "event_type", "unknown_event_type"),
    ("u1,i1,viewed,soon,2", "occurred_at", "invalid_value"),
    ("u1,i1,viewed,1950-01-01,2", "occurred_at", "invalid_value"),
    ("u1,i1,viewed,2031-01-01,2", "occurred_at", "time_in_future"),
    ("u1,i1,viewed,2025-01-01,many", "value", "invalid_value"),
    (f"{'u' * 300},i1,viewed,2025-01-01,2", "user_id", "too_large"),
    ("anonymous:x,i1,viewed,2025-01-01,2", "user_id", "invalid_value"),
    ("u1,i1,viewed", "", "not_a_row"),
]


@pytest.mark.parametrize(("line", "field", "code"), BAD)
@pytest.mark.parametrize("size", [1, 100])
def test_a_bad_row_stands_alone(tmp_path, line, field, code, size):
    (tmp_path / "e.csv").write_text(HEADER + GOOD + line + "\n" + GOOD)
    rows, seqs, (rejected,), batches = read(tmp_path / "e.csv", size=size)

    assert (len(rows), seqs) == (2, [0, 2])
    assert (rejected["row"], rejected["field"], rejected["code"]) == (1, field, code)
    assert rejected["file"] == "e.csv" and rejected["detail"]
    assert batches[-1].offset == 2
    json.dumps(rejected)


def test_bytes_of_another_encoding_reject_their_row(tmp_path):
    (tmp_path / "e.csv").write_bytes(
        (HEADER + GOOD * 3).encode() + b"u\xff,i1,viewed,2025-01-01,2\n"
    )
    spec = EventFiles(encoding="utf-8")
    rows, _, (rejected,), _ = read(tmp_path / "e.csv", spec)

    assert (len(rows), rejected["field"]) == (3, "user_id")
    assert "encoding" in rejected["detail"]


def test_a_clock_that_is_ahead_is_clamped_as_over_http(tmp_path):
    ahead = NOW + timedelta(hours=1)
    (tmp_path / "e.csv").write_text(f"{HEADER}u1,i1,viewed,{ahead.isoformat()},\n")
    (row,), _, _, _ = read(tmp_path / "e.csv")

    assert (row["occurred_at"], row["at"]) == (micros(ahead), micros(NOW))


def test_columns_types_signs_and_properties_are_mapped(tmp_path):
    (tmp_path / "e.csv").write_text(
        "Kunde;Ware;Was;Tag;Menge;Land\nk1;w1;KAUF;31.12.2024;1,5;DE\nk1;w1;KAUF;31.12.2024;-2;\n"
    )
    spec = EventFiles(
        columns={
            "user_id": "Kunde",
            "item_id": "Ware",
            "event_type": "Was",
            "occurred_at": "Tag",
            "value": "Menge",
        },
        properties={"country": "Land"},
        types={"KAUF": "bought"},
        negative="returned",
        time="%d.%m.%Y",
        decimal=",",
    )
    rows, _, rejected, _ = read(tmp_path / "e.csv", spec)

    assert rejected == []
    assert [(row["event_type"], row["value"], row["properties"]) for row in rows] == [
        ("bought", 1.5, '{"country":"DE"}'),
        ("returned", 2.0, None),
    ]
    assert rows[0]["at"] == micros(datetime(2024, 12, 31, tzinfo=UTC))


def test_json_lines_have_objects_lists_and_anonymous_people(tmp_path):
    event = {"event_type": "viewed", "item_id": "i1", "occurred_at": 1735725600}
    lines = [
        {**event, "anonymous_id": "a", "properties": {"b": [1]}, "impressions": ["i1", "i2"]},
        {**event, "anonymous_id": "a", "user_id": "u", "position": 3},
    ]
    (tmp_path / "e.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    rows, _, rejected, _ = read(tmp_path / "e.jsonl")

    assert rejected == []
    assert (rows[0]["user_id"], rows[0]["properties"], rows[0]["impressions"]) == (
        "anonymous:a",
        '{"b":[1]}',
        ["i1", "i2"],
    )
    assert (rows[1]["user_id"], rows[1]["anonymous_id"], rows[1]["position"]) == ("u", "a", 3)


def test_ids_are_the_same_whatever_the_batches_and_equal_rows_differ(tmp_path):
    (tmp_path / "e.csv").write_text(HEADER + GOOD * 5)
    ids = [[row["event_id"] for row in read(tmp_path / "e.csv", size=s)[0]] for s in (1, 2, 100)]

    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[0])) == 5


def test_files_of_one_table_are_counted_through(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(HEADER + GOOD * 3)
    table = EventTable("t", (tmp_path / "a.csv", tmp_path / "b.csv"), EventFiles())
    batches = list(table.batches(SHOP, NOW, 2))

    assert [seq for batch in batches for seq in batch.seqs] == [0, 1, 2, 3, 4, 5]
    assert len({row["event_id"] for batch in batches for row in batch.rows}) == 6
    assert 4 <= len(table) <= 10


def test_a_source_is_its_content_and_its_mapping(tmp_path):
    (tmp_path / "e.csv").write_text(HEADER + GOOD)

    def source(**mapping):
        return EventTable("t", (tmp_path / "e.csv",), EventFiles(**mapping)).source

    before = source()
    assert before == source() != source(negative="returned")
    (tmp_path / "e.csv").write_text(HEADER + GOOD * 2)
    assert source() != before


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"columns": {"user_id": "who"}},
            "e.csv: expected a column 'who' for user_id; it has user_id, item_id",
        ),
        ({"columns": {"user_id": "user_id"}}, "e.csv: nothing says which column is event_type"),
        (
            {
                "at": "soon",
                "columns": {"user_id": "user_id", "item_id": "item_id", "event_type": "event_type"},
            },
            "files.events.at",
        ),
    ],
)
def test_a_column_that_is_missing_is_named(tmp_path, spec, said):
    (tmp_path / "e.csv").write_text(HEADER + GOOD)
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "e.csv", EventFiles(**spec))
