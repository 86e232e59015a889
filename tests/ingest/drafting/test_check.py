"""`check`: what it says of files is what an import does, and its draft imports them unedited."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graphdb.domain import parse_domain
from graphdb.schema import create_schema
from ingest.drafting.check import check_path
from ingest.errors import DatasetError
from ingest.file_import import find_dataset, import_dataset
from ingest.tables.rejects import Rejects

EVENTS = "MATCH (:User)-[r]->(:Item) WHERE r.event_id IS NOT NULL RETURN count(r) AS events"
ROWS = 2500


def beginning(source, target):
    """The first rows of each of a folder's files."""
    target.mkdir()
    for path in source.iterdir():
        if path.suffix == ".parquet":
            pq.write_table(pq.read_table(path).slice(0, ROWS), target / path.name)
        elif path.name in ("train.txt", "test.txt"):
            (target / path.name).write_text("\n".join(path.read_text().split("\n")[:20]))
        elif path.suffix == ".inter":
            (target / path.name).write_text("\n".join(path.read_text().split("\n")[:ROWS]))
        else:
            shutil.copy(path, target / path.name)


def imported(graph, path, report):
    domain = parse_domain(report.draft, "draft")
    create_schema(graph, domain)
    with Rejects() as rejects:
        return import_dataset(graph, domain, find_dataset(path, domain), rejects), rejects


@pytest.mark.parametrize("name", ["ml-100k", "online-retail", "deskdrop", "gowalla"])
def test_the_draft_of_a_real_data_set_imports_it_unedited(graph, data_folder, tmp_path, name):
    whole = check_path(data_folder / name)
    beginning(data_folder / name, tmp_path / name)
    done, rejects = imported(graph, tmp_path / name, whole)

    assert done.events > 1000
    assert done.events + rejects.total == done.rows
    # Nothing but lines without a customer.
    assert {row["field"] for row in rejects.summary()} <= {"user_id"}
    assert {name for _, name, _ in whole.rejected} <= {"user_id"}
    assert graph.read(EVENTS) == [{"events": done.events}]


def rows(count=1500):
    for n in range(count):
        yield {
            "memberId": n % 60,
            "track": f"t{n % 45}",
            "playedAt": 1_600_000_000_000 + n * 1000,
            "trackTitle": f"The song of the {n % 45}",
            "moods": ["calm", "loud", "sad"][: n % 45 % 4],
        }


def write_csv(path):
    lines = [
        f"{r['memberId']};{r['track']};{r['playedAt']};{r['trackTitle']};{'|'.join(r['moods'])}"
        for r in rows()
    ]
    path.write_text(
        "memberId;track;playedAt;trackTitle;moods\n" + "\n".join(lines) + "\n", encoding="cp1252"
    )


def write_jsonl(path):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows()))


def write_parquet(path):
    pq.write_table(pa.Table.from_pylist(list(rows())), path)


@pytest.mark.parametrize(
    "write", [write_csv, write_jsonl, write_parquet], ids=lambda w: w.__name__[6:]
)
def test_the_draft_of_any_file_imports_it_unedited(graph, tmp_path, write):
    path = tmp_path / f"plays.{write.__name__[6:]}"
    write(path)
    report = check_path(path)
    done, rejects = imported(graph, path, report)

    assert (report.rows, report.taken, report.users, report.items) == (1500, 1500, 60, 45)
    assert (done.events, done.items, rejects.total) == (1500, 45, 0)
    titles = "MATCH (i:Track) WHERE i.track_title IS NOT NULL RETURN count(i) AS n"
    assert graph.read(titles) == [{"n": 45}]


def test_bad_rows_are_foretold(tmp_path):
    lines = "".join(f"u{n % 9},i{n % 7},{n % 5}\n" for n in range(200))
    (tmp_path / "log.csv").write_text(f"user,item,rating\n{lines},i1,3\nu1,i2\n")
    report = check_path(tmp_path / "log.csv")

    assert (report.rows, report.taken) == (202, 200)
    assert report.rejected == {
        ("log.csv", "user_id", "missing_field"): 1,
        ("log.csv", "", "not_a_row"): 1,
    }
    assert any("1 rejected: user_id (missing_field)" in line for line in report.lines())
    assert json.dumps(report.facts())


def test_what_cannot_be_read_is_left_out_or_told(tmp_path):
    (tmp_path / "bad.parquet").write_text("no")
    with pytest.raises(DatasetError, match=r"bad\.parquet cannot be read as Parquet"):
        check_path(tmp_path)
    (tmp_path / "log.csv").write_text(
        "user,item\n" + "".join(f"u{n % 9},i{n % 7}\n" for n in range(99))
    )
    assert "bad.parquet" in check_path(tmp_path).unreadable
