"""MovieLens in RecBole's files, with item texts joined from OMDb where they are there.

    NAME.inter   user_id, item_id, rating, timestamp      NAME.item   item_id, movie_title, ...
    NAME.user    user_id, age, gender, occupation         omdb_metadata.jsonl   movie_id, omdb

Tab-separated with a header of `name:type`. Errors name file and line. It knows the domain `films`
by its fields only.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.datasets.dataset import Dataset, Reader
from ingest.errors import DatasetError

OMDB_FILE = "omdb_metadata.jsonl"
UNKNOWN = {"", "unknown", "unkonwn", "N/A"}
ACTORS = 3

YEAR_IN_TITLE = re.compile(r"^(?P<title>.+) \((?P<year>\d{4})\)$")
ARTICLE_BEHIND = re.compile(
    r"^(?P<title>[^(]+), (?P<article>The|An?|Il|L[aeo]s?|L'|El|Der|Die|Das)(?P<rest> \(.*)?$"
)


def read_movielens(folder: Path) -> Dataset:
    """The folder's one data set: every rating a `rated` event with its stars as value.

    Raises DatasetError for a missing file, column or value.
    """
    name = _name_of(folder)
    texts = _read_omdb(folder / OMDB_FILE)
    items = [_item(line, texts) for line in _lines(folder / f"{name}.item", "item_id")]
    users = [_user(line) for line in _lines(folder / f"{name}.user", "user_id")]
    ratings = folder / f"{name}.inter"
    events = [_event(name, line) for line in _lines(ratings, "user_id", "item_id", "timestamp")]
    # By person: loading then writes each one's list of recent events once.
    events.sort(key=lambda event: (event["user_id"], event["occurred_at"]))
    described = sum("overview" in item["fields"] for item in items)
    return Dataset(
        name=name,
        domain="films",
        description=f"{name}: {len(events)} ratings of {len(items)} films by {len(users)} people, "
        f"{described} films with a plot from OMDb",
        items=items,
        users=users,
        events=events,
    )


class _Line(dict[str, str]):
    """One row by column name, which knows where it stands."""

    def __init__(self, cells: dict[str, str], path: Path, number: int) -> None:
        super().__init__(cells)
        self.path, self.number = path, number

    def known(self, column: str) -> str | None:
        """The cell, or None where the file has no value."""
        cell = self.get(column, "")
        return None if cell in UNKNOWN else cell

    def whole_number(self, column: str) -> int:
        number = self.number_in(column)
        if number != int(number):
            raise self.error(f"{column} {self[column]!r}: expected a whole number")
        return int(number)

    def number_in(self, column: str) -> float:
        cell = self.get(column, "")
        if not re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", cell, re.ASCII):
            raise self.error(f"{column} {cell[:40]!r}: expected a number")
        return float(cell)

    def error(self, reason: str) -> DatasetError:
        return DatasetError(f"{self.path.name}, line {self.number}: {reason}")


def _name_of(folder: Path) -> str:
    found = sorted(folder.glob("*.inter"))
    if len(found) != 1:
        raise DatasetError(f"{folder}: expected one file *.inter, found {len(found)}")
    return found[0].stem


def _lines(path: Path, *required: str) -> Iterator[_Line]:
    """Rows of a tab-separated file whose `required` columns are never empty."""
    lines = _text_lines(path)
    columns = [column.partition(":")[0] for column in lines[0].split("\t")]
    if missing := [name for name in required if name not in columns]:
        raise DatasetError(f"{path.name}, line 1: expected a column {missing[0]}:token")
    for number, text in enumerate(lines[1:], 2):
        cells = text.split("\t")
        line = _Line(dict(zip(columns, cells, strict=False)), path, number)
        if len(cells) != len(columns):
            raise line.error(f"expected {len(columns)} columns, found {len(cells)}")
        if empty := [name for name in required if not line[name]]:
            raise line.error(f"{empty[0]} is empty")
        yield line


def _text_lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path} is not UTF-8 text") from None


def _event(name: str, line: _Line) -> dict[str, Any]:
    user, item, when = line["user_id"], line["item_id"], line.whole_number("timestamp")
    return {
        "event_id": f"{name}:{user}:{item}:{when}",
        "event_type": "rated",
        "user_id": user,
        "item_id": item,
        "occurred_at": when,
        "value": line.number_in("rating"),
    }


def _user(line: _Line) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: value for name in ("gender", "occupation") if (value := line.known(name))
    }
    if line.known("age"):
        fields["age"] = line.whole_number("age")
    return {"id": line["user_id"], "fields": fields}


def _item(line: _Line, texts: dict[str, dict[str, str]]) -> dict[str, Any]:
    title, year = line.known("movie_title"), line.known("release_year")
    if title is None:
        # Nobody knows what was rated, so no other file's film is it.
        return {"id": line["item_id"], "fields": {"title": "unknown"}}
    title, in_title = title_and_year(title)
    year = in_title or year
    fields = {
        "title": title,
        "year": int(year) if year and re.fullmatch(r"\d{4}", year, re.ASCII) else None,
        "genres": [genre for genre in line.get("class", "").split() if genre not in UNKNOWN],
        **_omdb_fields(texts.get(line["item_id"], {})),
    }
    return {"id": line["item_id"], "fields": {name: v for name, v in fields.items() if v}}


def title_and_year(title: str) -> tuple[str, str | None]:
    """`Kid, The (1921)` as ("The Kid", "1921")."""
    behind = YEAR_IN_TITLE.match(title.strip())
    bare, year = (behind["title"], behind["year"]) if behind else (title.strip(), None)
    return ARTICLE_BEHIND.sub(_article_first, bare), year


def _article_first(match: re.Match[str]) -> str:
    space = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{space}{match['title']}{match['rest'] or ''}"


def _read_omdb(path: Path) -> dict[str, dict[str, str]]:
    """OMDb's answers by item id; none without the file."""
    texts = {}
    for number, line in enumerate(_text_lines(path) if path.exists() else [], 1):
        try:
            record = json.loads(line)
            texts[str(record["movie_id"])] = dict(record["omdb"] or {})
        except (ValueError, KeyError, TypeError):
            raise DatasetError(
                f"{path.name}, line {number}: expected a JSON object with movie_id and omdb"
            ) from None
    return texts


def _omdb_fields(omdb: dict[str, str]) -> dict[str, Any]:
    plot = omdb.get("Plot", "")
    people = _names(omdb, "Director") + _names(omdb, "Actors")[:ACTORS]
    return {
        "overview": None if plot in UNKNOWN else plot,
        "people": list(dict.fromkeys(people)),
        "countries": list(dict.fromkeys(_names(omdb, "Country"))),
    }


def _names(omdb: dict[str, str], key: str) -> list[str]:
    """OMDb's comma-separated names without the remarks in brackets behind them."""
    names = [re.sub(r"\s*\(.*\)$", "", name).strip() for name in omdb.get(key, "").split(", ")]
    return [name for name in names if name not in UNKNOWN]


READER = Reader(
    "MovieLens (RecBole's files *.inter, *.item and *.user)",
    lambda folder: any(folder.glob("*.inter")),
    read_movielens,
)
