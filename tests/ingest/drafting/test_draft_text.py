"""The drafted file: TOML that is a valid domain whatever the files' names hold, and says why."""

import csv
import re

import pytest

from graphdb.domain import parse_domain
from ingest.drafting.draft import find_tables
from ingest.drafting.draft_text import DraftWriter
from ingest.drafting.profile import tables_in, take_sample

HOSTILE = [
    'a"b',
    "x\ny",
    "back\\slash",
    "`tick`",
    "# no comment",
    "[table]",
    "ключ",
    "a = 1",
    "\u202eright",
]


def text_of(folder, rows=1000):
    samples = [take_sample(path, rows) for path in tables_in(folder)]
    return DraftWriter(folder, find_tables(folder, samples)).text()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_and_values_from_files_cannot_break_the_draft(tmp_path, hostile):
    with (tmp_path / "log.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["user id", f"item {hostile}", "event", f"other {hostile}"])
        writer.writerows(
            [f"u{n % 9}", f"i{n % 7}", ("view", hostile)[n % 2], n % 7] for n in range(99)
        )
    domain = parse_domain(text_of(tmp_path), "draft")

    assert domain.files.events.columns["item_id"] == f"item {hostile}"
    assert set(domain.files.events.types) == {"view", hostile}


def test_every_guess_has_its_reason(tmp_path):
    rows = "".join(f"u{n % 9},i{n % 7},{n % 5 + 1},2024-01-{n % 28 + 1:02d}\n" for n in range(99))
    (tmp_path / "log.csv").write_text(f"user,item,rating,day\n{rows}")
    text = text_of(tmp_path)

    columns = text.split("[files.events.columns]\n")[1].split("\n\n")[0].splitlines()
    assert len(columns) == 4 and all(re.search(r"  # .{10}", line) for line in columns)
    assert 'event_type = "rated"' in text


def test_an_event_type_beyond_the_sample_is_in_the_draft(tmp_path):
    rows = "".join(f"u{n % 9},i{n % 7},{'view' if n < 2900 else 'buy'}\n" for n in range(3000))
    (tmp_path / "log.csv").write_text(f"user,item,action\n{rows}")

    assert set(parse_domain(text_of(tmp_path, 500), "draft").events) == {"view", "buy"}


def test_what_is_taken_back_and_what_has_no_time(tmp_path):
    rows = "".join(f"u{n % 9},i{n % 7},{n % 40 - 3}\n" for n in range(400))
    (tmp_path / "log.csv").write_text(f"customer,sku,quantity\n{rows}")
    events = parse_domain(text_of(tmp_path), "draft").files.events

    assert (events.event_type, events.negative) == ("bought", "returned")
    assert events.at is not None and events.at.endswith("+00:00")
