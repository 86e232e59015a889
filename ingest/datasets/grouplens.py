"""MovieLens as GroupLens publishes it: the CSV layout, and the older ones with their own signs.

    ratings.csv, movies.csv, tags.csv, links.csv      a header; genres a|b (20M, 25M, 32M, small)
    ratings.dat, movies.dat, users.dat                a::b, without header (1M, 10M)
    u.data, u.item, u.user, u.genre                   tabs and a|b, without header (100K)

It knows the domain `films` by its fields only. Of the tags people gave, a film keeps the most used.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdb.file_specs import CatalogueFiles, EventFiles, FileSpec
from ingest.datasets.dataset import Reader
from ingest.datasets.movielens import title_and_year
from ingest.datasets.table_set import TableSet
from ingest.errors import DatasetError
from ingest.tables.catalogue_table import CatalogueTable
from ingest.tables.event_table import EventTable
from ingest.tables.tabular import open_table

TAGS = 20
LONGEST_TAG = 256
NO_GENRES = {"", "(no genres listed)", "unknown"}


@dataclass(frozen=True)
class Layout:
    """One of GroupLens' layouts: how its files are called and written."""

    ratings: str
    films: str
    events: EventFiles
    film: FileSpec
    people: str | None = None
    person: CatalogueFiles | None = None


def _rated(**written: Any) -> EventFiles:
    columns: Any = {
        "user_id": "userId",
        "item_id": "movieId",
        "occurred_at": "timestamp",
        "value": "rating",
    }
    return EventFiles(columns=columns, event_type="rated", time="seconds", **written)


HEADER = ("userId", "movieId", "rating", "timestamp")
FILM_HEADER = ("movieId", "title", "genres")
FLAGS = tuple(f"genre_{n}" for n in range(19))
LAYOUTS = (
    Layout("ratings.csv", "movies.csv", _rated(), FileSpec(separator=",")),
    Layout(
        "ratings.dat",
        "movies.dat",
        _rated(separator="::", header=HEADER),
        FileSpec(separator="::", header=FILM_HEADER, quote=""),
        "users.dat",
        CatalogueFiles(
            separator="::",
            header=("id", "gender", "age", "occupation", "zip"),
            columns={"id": "id", "gender": "gender", "age": "age"},
        ),
    ),
    Layout(
        "u.data",
        "u.item",
        _rated(format="csv", separator="\t", header=HEADER),
        FileSpec(
            format="csv",
            separator="|",
            quote="",
            encoding="latin-1",
            header=("movieId", "title", "released", "video", "address", *FLAGS),
        ),
        "u.user",
        CatalogueFiles(
            format="csv",
            separator="|",
            header=("id", "age", "gender", "occupation", "zip"),
            columns={"id": "id", "age": "age", "gender": "gender", "occupation": "occupation"},
        ),
    ),
)


def read_grouplens(folder: Path) -> TableSet:
    """The folder's one data set; tags, links and people where they are there.

    Raises DatasetError for a missing file or column, and for a film without an id.
    """
    layout = _layout(folder)
    if layout is None:
        pairs = ", ".join(f"{one.ratings} with {one.films}" for one in LAYOUTS)
        raise DatasetError(f"{folder}: expected one of {pairs}")
    name = folder.resolve().name
    people = folder / layout.people if layout.people else None
    users = ()
    if people and people.is_file() and layout.person:
        users = (CatalogueTable("users", people, layout.person),)
    return TableSet(
        name=name,
        domain="films",
        description=f"{name}: MovieLens as GroupLens publishes it",
        events=EventTable(name, (folder / layout.ratings,), layout.events),
        users=users,
        item_rows=_films(folder, layout),
    )


def _layout(folder: Path) -> Layout | None:
    there = (
        one
        for one in LAYOUTS
        if (folder / one.ratings).is_file() and (folder / one.films).is_file()
    )
    return next(there, None)


def _films(folder: Path, layout: Layout) -> list[dict[str, Any]]:
    tags, imdb, genres = _tags(folder), _imdb(folder), _genre_names(folder)
    films = []
    for row in _rows(folder / layout.films, layout.film, ("movieId", "title")):
        title, year = title_and_year(row["title"] or "unknown")
        flags = [genres.get(n) for n in range(len(FLAGS)) if row.get(FLAGS[n]) == "1"]
        named = (row.get("genres") or "").split("|") + [genre for genre in flags if genre]
        fields = {
            "title": title or "unknown",
            "year": int(year) if year else None,
            "genres": [genre for genre in named if genre not in NO_GENRES],
            "tags": tags.get(row["movieId"]),
            "imdb": imdb.get(row["movieId"]),
        }
        films.append({"id": row["movieId"], "fields": {k: v for k, v in fields.items() if v}})
    return films


def _rows(path: Path, spec: FileSpec, needed: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """All columns of a small file's rows; raises DatasetError for one without its first."""
    table = open_table(path, spec)
    if missing := [name for name in needed if name not in table.names]:
        raise DatasetError(f"{path.name}: expected a column {missing[0]}")
    for chunk in table.chunks(table.names):
        if chunk.broken:
            raise DatasetError(f"{path.name}, {chunk.broken[0].detail}")
        for n, number in enumerate(chunk.numbers):
            row = {name: chunk.columns[name][n] for name in table.names}
            if row[needed[0]] is None:
                raise DatasetError(f"{path.name}, row {number}: {needed[0]} is empty")
            yield row


def _tags(folder: Path) -> dict[str, list[str]]:
    """The most used tags of each film, most used first; none without the file."""
    path = folder / "tags.csv"
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in _rows(path, FileSpec(separator=","), ("movieId", "tag")) if path.is_file() else ():
        if tag := (row["tag"] or "").strip().lower()[:LONGEST_TAG]:
            counts[row["movieId"]][tag] += 1
    return {film: [tag for tag, _ in tags.most_common(TAGS)] for film, tags in counts.items()}


def _imdb(folder: Path) -> dict[str, str]:
    path = folder / "links.csv"
    rows = _rows(path, FileSpec(separator=","), ("movieId", "imdbId")) if path.is_file() else ()
    return {row["movieId"]: f"tt{row['imdbId']}" for row in rows if row["imdbId"]}


def _genre_names(folder: Path) -> dict[int, str]:
    """The names of u.item's flags by their place."""
    path = folder / "u.genre"
    if not path.is_file():
        return {}
    spec = FileSpec(format="csv", separator="|", header=("name", "place"))
    return {int(row["place"]): row["name"] for row in _rows(path, spec, ("name", "place"))}


READER = Reader(
    "MovieLens (GroupLens' ratings.csv, ratings.dat or u.data)",
    lambda folder: _layout(folder) is not None,
    read_grouplens,
)
