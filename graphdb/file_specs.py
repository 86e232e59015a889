"""How files from outside map onto a domain: which file, how it is written, which column is what.

Shapes only: which columns a file has and what stands in them, `ingest` finds out.
"""

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from graphdb.specs import EventType, FieldName, Strict

FileFormat = Literal["csv", "jsonl", "parquet", "lists"]
EventColumn = Literal[
    "event_id",
    "event_type",
    "user_id",
    "anonymous_id",
    "item_id",
    "occurred_at",
    "value",
    "session_id",
    "properties",
    "context",
    "recommendation_id",
    "position",
    "impressions",
]
TIME_UNITS = ("iso", "seconds", "milliseconds", "microseconds")


def _known_encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"no encoding is called {name!r}") from None


def _known_time(name: str) -> str:
    if name not in TIME_UNITS and "%" not in name:
        raise ValueError(f"expected {', '.join(TIME_UNITS)} or a format such as %d/%m/%Y %H:%M")
    return name


class FileSpec(Strict):
    """A file, or several of one kind.

    path: a pattern of file names within the folder that is imported; format: from the name if
    missing, `lists` is a line `user item item …` without header; separator: found out if missing;
    quote: empty for files without quoting; header: names for a file without a header line;
    nulls: texts that mean no value.
    """

    path: str = Field("*", min_length=1)
    format: FileFormat | None = None
    separator: str | None = Field(None, min_length=1, max_length=3)
    quote: str = Field('"', max_length=1)
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    header: tuple[str, ...] | None = None
    nulls: tuple[str, ...] = ("",)
    decimal: Literal[".", ","] = "."


class EventFiles(FileSpec):
    """Files of events, a row an event.

    columns: which column holds what, the same names if missing; properties: columns that are kept
    under other names in the event's properties; event_type: of every row, where no column says;
    types: what the file calls the domain's event types; negative: the event type of rows whose
    value is below zero, kept without its sign (returns among purchases); time: the unit or format
    of times; at: the time of every row, where no column says.
    """

    columns: dict[EventColumn, str] = Field({})
    properties: dict[str, str] = Field({})
    event_type: EventType | None = None
    types: dict[str, EventType] = Field({})
    negative: EventType | None = None
    time: Annotated[str, AfterValidator(_known_time)] = "iso"
    at: str | None = None

    @model_validator(mode="after")
    def _properties_once(self) -> Self:
        if self.properties and "properties" in self.columns:
            raise ValueError("name properties either in columns or in a table of their own")
        return self


class CatalogueFiles(FileSpec):
    """A file of items or users, a row each; of a repeated id the last row counts.

    columns: the column of `id` and of each field, the same names if missing; split: what separates
    the values of a field of type strings within a cell, splits: of one field; first: of a repeated
    id the first row counts that says anything (an event file that names its items); needs: a
    column without which a row is left out.
    """

    columns: dict[FieldName, str] = Field({})
    split: str = Field("|", min_length=1)
    splits: dict[FieldName, Annotated[str, Field(min_length=1)]] = Field({})
    first: bool = False
    needs: str | None = None


class FileSpecs(Strict):
    """The files of one export; what is missing is not imported."""

    events: EventFiles | None = None
    items: CatalogueFiles | None = None
    users: CatalogueFiles | None = None
