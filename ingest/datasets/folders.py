"""Folders of known data sets: which reader takes one. It knows no format itself."""

import importlib
import pkgutil
from pathlib import Path

from ingest import datasets
from ingest.datasets.dataset import Dataset, Reader
from ingest.datasets.table_set import TableSet
from ingest.errors import DatasetError


def readers() -> list[Reader]:
    """The READER of each module of this room that has one: a source needs no more than its file."""
    names = sorted(module.name for module in pkgutil.iter_modules(datasets.__path__))
    modules = [importlib.import_module(f"{datasets.__name__}.{name}") for name in names]
    return [module.READER for module in modules if hasattr(module, "READER")]


def read_folder(folder: Path) -> Dataset | TableSet:
    """The data set in `folder`. Raises DatasetError when nobody recognises it."""
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder")
    for reader in readers():
        if reader.recognises(folder):
            return reader.read(folder)
    known = "; ".join(reader.name for reader in readers())
    raise DatasetError(
        f"{folder} holds no data set that is known here ({known}), and the domain has no [files]:"
        f" `pathlight check {folder}` drafts a domain for it"
    )
