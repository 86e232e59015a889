"""The LightGCN text format: `train.txt` and `test.txt`, a line `user item item …`.

Both files are interactions and both are imported, the train file first: which is which is an
evaluation's affair, and `seq` on an event tells it. The format has no times: every event is at the
beginning of the year 2000.
"""

from itertools import islice
from pathlib import Path

from graphdb.file_specs import EventFiles
from ingest.datasets.dataset import Reader
from ingest.datasets.table_set import TableSet
from ingest.errors import DatasetError
from ingest.tables.event_table import EventTable

FILES = ("train.txt", "test.txt")
NO_TIME = "2000-01-01T00:00:00Z"
EVENTS = EventFiles(format="lists", event_type="visited", at=NO_TIME)


def read_lightgcn(folder: Path) -> TableSet:
    """The folder's files that are there. Raises DatasetError without a train.txt."""
    files = tuple(folder / name for name in FILES if (folder / name).is_file())
    if folder / FILES[0] not in files:
        raise DatasetError(f"{folder / FILES[0]}: there is no such file")
    name = folder.resolve().name
    return TableSet(
        name=name,
        domain="social",
        description=f"{name}: people and what they visited, {' and '.join(p.name for p in files)}",
        events=EventTable(name, files, EVENTS),
    )


def _recognises(folder: Path) -> bool:
    path = folder / FILES[0]
    if not path.is_file():
        return False
    with path.open("rb") as file:
        lines = [line.split() for line in islice(file, 5)]
    return bool(lines) and all(line and all(cell.isdigit() for cell in line) for line in lines)


READER = Reader("the LightGCN text format (train.txt and test.txt)", _recognises, read_lightgcn)
