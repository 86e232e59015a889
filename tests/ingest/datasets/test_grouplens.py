"""MovieLens in GroupLens' own layouts: films, people, tags and ratings."""

import pytest

from ingest.catalogue import read_items
from ingest.datasets.folders import read_folder
from ingest.datasets.grouplens import read_grouplens
from ingest.errors import DatasetError
from tests.tables import counted

RATINGS = """userId,movieId,rating,timestamp
1,31,2.5,1260759144
1,1029,3.0,1260759179
2,31,4.0,1260759182
"""
MOVIES = """movieId,title,genres
31,"Kid, The (1921)",Comedy|Drama
1029,Nobody Knows,(no genres listed)
"""


@pytest.fixture
def csv_layout(tmp_path):
    (tmp_path / "ratings.csv").write_text(RATINGS)
    (tmp_path / "movies.csv").write_text(MOVIES)
    (tmp_path / "tags.csv").write_text(
        "userId,movieId,tag,timestamp\n1,31,Silent,1\n2,31,chaplin,2\n3,31,silent,3\n"
    )
    (tmp_path / "links.csv").write_text("movieId,imdbId,tmdbId\n31,0012349,10098\n")
    return tmp_path


def test_the_csv_layout(csv_layout, domain):
    found = read_folder(csv_layout)

    assert counted(found, domain)["types"] == {"rated": 3}
    assert found.item_rows == [
        {
            "id": "31",
            "fields": {
                "title": "The Kid",
                "year": 1921,
                "genres": ["Comedy", "Drama"],
                "tags": ["silent", "chaplin"],
                "imdb": "tt0012349",
            },
        },
        {"id": "1029", "fields": {"title": "Nobody Knows"}},
    ]
    assert not read_items(domain, found.item_rows).rejected


def test_the_layout_of_the_million(tmp_path, domain):
    (tmp_path / "ratings.dat").write_text("1::31::5::978300760\n2::31::3::978302109\n")
    (tmp_path / "movies.dat").write_bytes(
        "31::Misérables, Les (1995)::Drama|Musical\n".encode("latin-1")
    )
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")
    found = read_folder(tmp_path)

    told = counted(found, domain)
    assert (told["types"], told["catalogue"], told["rejected"]) == ({"rated": 2}, {"users": 2}, {})
    assert found.item_rows[0]["fields"] == {
        "title": "Les Misérables",
        "year": 1995,
        "genres": ["Drama", "Musical"],
    }


def test_the_layout_of_the_hundred_thousand(tmp_path, domain):
    flags = "|".join("1" if n in (5, 14) else "0" for n in range(19))
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n")
    (tmp_path / "u.item").write_bytes(
        f"242|Kolya (1996)|24-Jan-1997||http://x|{flags}\n".encode("latin-1")
    )
    (tmp_path / "u.user").write_text("196|49|M|writer|55105\n")
    (tmp_path / "u.genre").write_text("Comedy|5\nRomance|14\n\n")
    found = read_folder(tmp_path)

    assert counted(found, domain)["catalogue"] == {"users": 1}
    assert found.item_rows[0]["fields"] == {
        "title": "Kolya",
        "year": 1996,
        "genres": ["Comedy", "Romance"],
    }


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("movies.csv", "id,title\n1,A\n", r"movies\.csv: expected a column movieId"),
        ("movies.csv", "movieId,title\n,A\n", r"movies\.csv, row 0: movieId is empty"),
        ("movies.csv", "movieId,title\n1\n", r"movies\.csv, line 2: expected 2 columns, found 1"),
        ("tags.csv", "", r"tags\.csv is empty"),
    ],
)
def test_a_bad_file_is_named(csv_layout, file, content, said):
    (csv_layout / file).write_text(content)
    with pytest.raises(DatasetError, match=said):
        read_grouplens(csv_layout)


def test_without_films_it_is_nobodys(tmp_path):
    (tmp_path / "ratings.csv").write_text(RATINGS)
    with pytest.raises(DatasetError, match=r"expected one of ratings\.csv with movies\.csv"):
        read_grouplens(tmp_path)
