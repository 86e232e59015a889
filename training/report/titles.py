"""What items are called, for people; from a snapshot's items, never from the graph."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from graphdb.snapshot import check_files, read_manifest

FILE = "items.parquet"
LONGEST = 80
"""Characters of a title that are shown."""


def item_titles(item_ids: Sequence[str], snapshot: Path | None) -> list[str]:
    """A title for each id: the item's `title`, else the start of its text, else its id.

    Raises SnapshotError for a snapshot that is none or whose items were altered.
    """
    known = _titles(snapshot) if snapshot else {}
    return [known.get(item_id) or shown(item_id) for item_id in item_ids]


def _titles(snapshot: Path) -> dict[str, str]:
    check_files(snapshot, {FILE: read_manifest(snapshot).files.get(FILE, "")})
    path = snapshot / FILE
    names = pq.read_schema(path).names
    columns = [name for name in ("title", "text") if name in names]
    table = pq.read_table(path, columns=["id", *columns])
    titles = {}
    for row in table.to_pylist():
        given = next((row[name] for name in columns if row[name]), "")
        titles[row["id"]] = shown(str(given))
    return titles


def shown(text: str) -> str:
    """`text` on one line, of what can be seen, and not too long.

    Control characters and those that turn the writing's direction would spoil the line.
    """
    # Cut first: a text may have megabytes.
    words = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST]).split()
    line = " ".join(words)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
