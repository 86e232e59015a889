"""MovieLens-100K as it lies in its folder: the counts of its files, their quirks, their errors."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from ingest.catalogue import read_items, read_users
from ingest.datasets.dataset import Dataset
from ingest.datasets.movielens import read_movielens
from ingest.errors import DatasetError


@pytest.fixture(scope="module")
def ml100k(data_folder: Path) -> Dataset:
    return read_movielens(data_folder / "ml-100k")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "t.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t881250949\n"
    )
    (tmp_path / "t.item").write_text(
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        "2\tKing, The (Rey, El)\t1999\tDrama\n"
    )
    (tmp_path / "t.user").write_text("user_id:token\tage:token\tgender:token\n1\t24\tM\n")
    return tmp_path


def test_the_counts_are_the_files(ml100k):
    assert (len(ml100k.users), len(ml100k.items), len(ml100k.events)) == (943, 1682, 100_000)
    assert Counter(event["value"] for event in ml100k.events) == {
        1: 6_110,
        2: 11_370,
        3: 27_145,
        4: 34_174,
        5: 21_201,
    }
    assert len({event["event_id"] for event in ml100k.events}) == 100_000
    have = Counter(name for item in ml100k.items for name in item["fields"])
    assert have == {
        "title": 1682,
        "year": 1681,
        "genres": 1680,
        "overview": 1670,
        "people": 1680,
        "countries": 1681,
    }


def test_every_row_is_valid_in_films(ml100k, domain):
    assert not read_items(domain, ml100k.items).rejected
    assert not read_users(domain, ml100k.users).rejected


def test_texts_people_and_countries_are_joined(ml100k):
    assert ml100k.items[11] == {
        "id": "12",
        "fields": {
            "title": "The Usual Suspects",
            "year": 1995,
            "genres": ["Crime", "Thriller"],
            "overview": "A sole survivor tells of the twisty events leading up to a horrific gun "
            "battle on a boat, which began when five criminals met at a seemingly random police "
            "lineup.",
            "people": ["Bryan Singer", "Stephen Baldwin", "Gabriel Byrne", "Benicio Del Toro"],
            "countries": ["USA", "Germany"],
        },
    }


def test_the_files_quirks_are_read_right(ml100k):
    by_id = {item["id"]: item["fields"] for item in ml100k.items}
    assert by_id["267"] == {"title": "unknown"}
    late = by_id["1412"]
    assert late["title"] == "Land Before Time III: The Time of the Great Giving"
    assert late["year"] == 1995
    assert "genres" not in by_id["1373"]
    assert "Luigi Cozzi" in by_id["861"]["people"]
    assert ml100k.users[0] == {
        "id": "1",
        "fields": {"age": 24, "gender": "M", "occupation": "technician"},
    }


def test_a_folder_without_texts_is_read_too(small):
    dataset = read_movielens(small)
    assert dataset.items == [
        {"id": "2", "fields": {"title": "The King (Rey, El)", "year": 1999, "genres": ["Drama"]}}
    ]
    assert list(dataset.events) == [
        {
            "event_id": "t:1:2:881250949",
            "event_type": "rated",
            "user_id": "1",
            "item_id": "2",
            "occurred_at": 881250949,
            "value": 3.0,
        }
    ]


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("t.inter", "1\t2\tgood\t3", "t.inter, line 3: rating 'good': expected a number"),
        ("t.inter", "1\t2\tnan\t3", "t.inter, line 3: rating 'nan': expected a number"),
        ("t.inter", "1\t2\t3\t4.5", "t.inter, line 3: timestamp '4.5': expected a whole number"),
        ("t.inter", "1\t\t3\t4", "t.inter, line 3: item_id is empty"),
        ("t.inter", "1\t2\t3", "t.inter, line 3: expected 4 columns, found 3"),
        ("t.user", "2\told\tF", "t.user, line 3: age 'old': expected a number"),
        ("t.item", "3\tHeat", "t.item, line 3: expected 4 columns, found 2"),
        ("omdb_metadata.jsonl", "{", "omdb_metadata.jsonl, line 1: expected a JSON object"),
        ("omdb_metadata.jsonl", "[1]", "omdb_metadata.jsonl, line 1: expected a JSON object"),
    ],
)
def test_an_error_names_file_and_line(small, file, line, message):
    with (small / file).open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DatasetError) as error:
        read_movielens(small)
    assert message in str(error.value)


def test_a_missing_file_or_column_is_named(small, tmp_path_factory):
    (small / "t.user").write_text("user:token\n1\n")
    with pytest.raises(DatasetError, match=r"t\.user, line 1: expected a column user_id:token"):
        read_movielens(small)
    (small / "t.user").unlink()
    with pytest.raises(DatasetError, match=r"t\.user: No such file"):
        read_movielens(small)
    shutil.copy(small / "t.inter", small / "u.inter")
    with pytest.raises(DatasetError, match=r"expected one file \*\.inter, found 2"):
        read_movielens(small)
    with pytest.raises(DatasetError, match=r"expected one file \*\.inter, found 0"):
        read_movielens(tmp_path_factory.mktemp("empty"))
