"""Which of several files is what."""

import pytest

from ingest.drafting.draft import find_tables
from ingest.drafting.profile import tables_in, take_sample
from ingest.errors import DatasetError


def drafted(folder):
    return find_tables(folder, [take_sample(path, 1000) for path in tables_in(folder)])


def test_events_items_and_people_are_told_apart(tmp_path):
    ratings = "".join(f"{n % 30},{n % 20},{n % 5},{1_600_000_000 + n}\n" for n in range(400))
    (tmp_path / "scores.csv").write_text(f"reader_id,book_id,rating,time\n{ratings}")
    (tmp_path / "books.csv").write_text(
        "book_id,title\n" + "".join(f"{n},Book {n}\n" for n in range(20))
    )
    (tmp_path / "readers.csv").write_text("id,age\n" + "".join(f"{n},{n + 9}\n" for n in range(30)))
    (tmp_path / "places.csv").write_text("zip,town\nX1,Ulm\nX2,Bonn\n")
    draft = drafted(tmp_path)

    assert [path.name for path in draft.event_files] == ["scores.csv"]
    assert draft.items.table.path.name == "books.csv"
    assert draft.users.table.path.name == "readers.csv"
    assert list(draft.unused) == ["places.csv"]


def test_files_of_one_kind_are_one_table(tmp_path):
    rows = "".join(f"u{n % 9},i{n % 7},2024-01-01\n" for n in range(50))
    for month in ("01", "02"):
        (tmp_path / f"log-{month}.csv").write_text(f"user,item,day\n{rows}")

    assert [path.name for path in drafted(tmp_path).event_files] == ["log-01.csv", "log-02.csv"]


def test_a_folder_without_events_is_told_what_was_seen(tmp_path):
    (tmp_path / "a.csv").write_text("colour,shade\nred,dark\nblue,light\n")
    with pytest.raises(
        DatasetError,
        match=r"no table here has a column of people beside one of thing.*colour, shade",
    ):
        drafted(tmp_path)
