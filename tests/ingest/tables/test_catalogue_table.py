"""Files of items and users: cells as the domain's types, one row an id, bad rows by name."""

import json

import pytest

from graphdb.file_specs import CatalogueFiles
from ingest.errors import DatasetError
from ingest.tables.catalogue_table import CatalogueTable


def read(path, domain, what="items", **spec):
    batches = list(CatalogueTable(what, path, CatalogueFiles(**spec)).batches(domain))
    rows = {row["id"]: row["fields"] for batch in batches for row in batch.rows}
    return rows, [row for batch in batches for row in batch.rejected]


def test_cells_become_the_types_of_the_fields(tmp_path, domain):
    (tmp_path / "f.csv").write_text(
        "item_id,title,year,genres\n1,Kolya,1996,Comedy|Drama\n2,Heat,,\n"
    )

    assert read(tmp_path / "f.csv", domain) == (
        {
            "1": {"title": "Kolya", "year": 1996, "genres": ["Comedy", "Drama"]},
            "2": {"title": "Heat"},
        },
        [],
    )


def test_columns_are_mapped_and_split_as_stated(tmp_path, domain):
    line = {"key": 5, "about": {"name": "Kolya"}, "kinds": ["A", "B"], "who": "X, Y"}
    (tmp_path / "f.jsonl").write_text(json.dumps(line) + "\n")
    columns = {"id": "key", "title": "about.name", "genres": "kinds", "people": "who"}

    rows, rejected = read(tmp_path / "f.jsonl", domain, columns=columns, splits={"people": ", "})
    assert (rows, rejected) == (
        {"5": {"title": "Kolya", "genres": ["A", "B"], "people": ["X", "Y"]}},
        [],
    )


def test_bad_rows_are_told_and_their_neighbours_stay(tmp_path, domain):
    (tmp_path / "f.csv").write_text("id,title,year\n1,A,1996\n2,B,soon\n,C,1999\n4,D\n5,E,2000\n")
    rows, rejected = read(tmp_path / "f.csv", domain)

    assert list(rows) == ["1", "5"]
    assert [(row["row"], row["field"], row["code"]) for row in rejected] == [
        (1, "year", "invalid_value"),
        (2, "id", "missing_field"),
        (3, "", "not_a_row"),
    ]


def test_the_last_row_of_an_id_counts_or_the_first_that_says_something(tmp_path, domain):
    (tmp_path / "f.csv").write_text("id,title\n1,\n1,A\n2,B\n1,C\n,x\n")

    assert read(tmp_path / "f.csv", domain)[0]["1"] == {"title": "C"}
    rows, rejected = read(tmp_path / "f.csv", domain, first=True)
    assert (rows, rejected) == ({"1": {"title": "A"}, "2": {"title": "B"}}, [])


def test_a_row_without_what_it_needs_is_left_out(tmp_path, domain):
    (tmp_path / "f.csv").write_text("id,title,who\n1,damaged,\n1,A,u\n2,B,\n")
    rows, rejected = read(tmp_path / "f.csv", domain, first=True, needs="who")

    assert (rows, rejected) == ({"1": {"title": "A"}}, [])


def test_users_are_read_as_items_are(tmp_path, domain):
    (tmp_path / "u.csv").write_text("user_id,age,gender\n7,24,M\n")

    assert read(tmp_path / "u.csv", domain, "users")[0] == {"7": {"age": 24, "gender": "M"}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"columns": {"id": "key"}}, "f.csv: expected a column 'key' for id; it has no, title"),
        ({}, "f.csv: nothing says which column is the id"),
    ],
)
def test_a_missing_column_is_named(tmp_path, domain, spec, said):
    (tmp_path / "f.csv").write_text("no,title\n1,A\n")
    with pytest.raises(DatasetError, match=said):
        read(tmp_path / "f.csv", domain, **spec)
