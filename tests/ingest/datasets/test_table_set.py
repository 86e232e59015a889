"""Which files of a path a domain's [files] mean."""

import pytest

from graphdb.domain import parse_domain
from ingest.datasets.table_set import mapped_files
from ingest.errors import DatasetError

DOMAIN = """
name = "x"
[item]
label = "Thing"
[events.seen]
relationship = "SEEN"
[files.events]
path = "log-*.csv"
event_type = "seen"
[files.items]
path = "things.jsonl"
"""


def test_files_are_found_by_their_patterns_in_order(tmp_path):
    for name in ("log-2.csv", "log-1.csv", "things.jsonl", "notes.csv", "log-3.md"):
        (tmp_path / name).write_text("x\n")
    found = mapped_files(tmp_path, parse_domain(DOMAIN, "x"))

    assert [path.name for path in found.events.files] == ["log-1.csv", "log-2.csv"]
    assert [table.path.name for table in found.items] == ["things.jsonl"]
    assert (found.users, found.name) == ((), tmp_path.name)


def test_one_file_is_what_its_name_says(tmp_path):
    (tmp_path / "things.jsonl").write_text("x\n")
    found = mapped_files(tmp_path / "things.jsonl", parse_domain(DOMAIN, "x"))

    assert (found.events, len(found.items), found.name) == (None, 1, "things")


def test_a_folder_without_any_of_them_is_told_the_patterns(tmp_path):
    with pytest.raises(
        DatasetError, match=r"no file here is called as \[files\].*log-\*\.csv, things"
    ):
        mapped_files(tmp_path, parse_domain(DOMAIN, "x"))
