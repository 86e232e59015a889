"""Deskdrop (CI&T): what people of one company did with articles shared on its platform.

    users_interactions.parquet, or .csv   timestamp, eventType, contentId, personId, sessionId, …

Interactions only: the articles' texts lie in another file, which is not read.
"""

from pathlib import Path

from graphdb.file_specs import CatalogueFiles, EventFiles
from ingest.datasets.dataset import Reader
from ingest.datasets.table_set import TableSet
from ingest.tables.catalogue_table import CatalogueTable
from ingest.tables.event_table import EventTable

EVENTS = EventFiles(
    columns={
        "user_id": "personId",
        "item_id": "contentId",
        "event_type": "eventType",
        "occurred_at": "timestamp",
        "session_id": "sessionId",
    },
    types={
        "VIEW": "viewed",
        "LIKE": "liked",
        "BOOKMARK": "bookmarked",
        "COMMENT CREATED": "commented",
        "FOLLOW": "followed",
    },
    time="seconds",
)
USERS = CatalogueFiles(
    columns={"id": "personId", "country": "userCountry", "region": "userRegion"}, first=True
)


def read_deskdrop(folder: Path) -> TableSet:
    """The folder's interactions. Raises DatasetError when the file lacks a column."""
    file = _file(folder)
    return TableSet(
        name="deskdrop",
        domain="articles",
        description="deskdrop: a year of views, likes, bookmarks, comments and follows",
        events=EventTable("deskdrop", (file,), EVENTS),
        users=(CatalogueTable("users", file, USERS),),
    )


def _file(folder: Path) -> Path:
    found = sorted(folder.glob("users_interactions.*"))
    return next(iter(found), folder / "users_interactions.parquet")


READER = Reader(
    "deskdrop (users_interactions.parquet or .csv)",
    lambda folder: _file(folder).is_file(),
    read_deskdrop,
)
