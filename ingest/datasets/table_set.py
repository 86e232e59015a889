"""A data set that lies in tables: what is read row by row instead of held in memory.

Knows which files of a path a domain's [files] mean; neither their format nor the graph.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphdb.domain import Domain
from graphdb.file_specs import EventFiles, FileSpec, FileSpecs
from ingest.errors import DatasetError
from ingest.tables.catalogue_table import CatalogueTable
from ingest.tables.event_table import EventTable
from ingest.tables.tabular import format_of


@dataclass(frozen=True)
class TableSet:
    """Files for one domain; `item_rows` are items that more than one file tells of."""

    name: str
    domain: str
    description: str
    events: EventTable | None = None
    items: tuple[CatalogueTable, ...] = ()
    users: tuple[CatalogueTable, ...] = ()
    item_rows: Sequence[Mapping[str, Any]] = ()


def mapped_files(path: Path, domain: Domain) -> TableSet:
    """The files of a folder, or one file, as the domain's [files] say; without them a file is one
    of events whose columns have the names of an event's parts.

    Raises DatasetError when none of the patterns fits.
    """
    specs = domain.files or FileSpecs(events=EventFiles())
    events = _matching(path, specs.events)
    items, users = _matching(path, specs.items), _matching(path, specs.users)
    if not (events or items or users):
        given = (specs.events, specs.items, specs.users)
        patterns = ", ".join(spec.path for spec in given if spec)
        raise DatasetError(
            f"{path}: no file here is called as [files] of domain {domain.name} says ({patterns})"
        )
    name = path.name.split(".")[0] or path.name
    return TableSet(
        name=name,
        domain=domain.name,
        description=f"{name}: {len(events) + len(items) + len(users)} tables",
        events=EventTable(name, events, specs.events) if events and specs.events else None,
        items=tuple(CatalogueTable("items", p, specs.items) for p in items if specs.items),
        users=tuple(CatalogueTable("users", p, specs.users) for p in users if specs.users),
    )


def _matching(path: Path, spec: FileSpec | None) -> tuple[Path, ...]:
    if spec is None:
        return ()
    if path.is_file():
        return (path,) if path.match(spec.path) else ()
    found = sorted(file for file in path.glob(spec.path) if file.is_file())
    return tuple(file for file in found if format_of(file, spec))
