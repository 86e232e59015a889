"""What ingest refuses reaches a person as one sentence."""

import importlib
import inspect
import pkgutil

import ingest
from graphdb.errors import PathlightError
from ingest.errors import DatasetError


def test_whatever_ingest_raises_is_of_the_family_that_every_door_turns_into_a_sentence():
    raised = {
        found
        for module in pkgutil.walk_packages(ingest.__path__, "ingest.")
        if module.name != "ingest.__main__"
        for name, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        if issubclass(found, Exception)
        and found.__module__ == module.name
        and not name.startswith("_")
    }

    assert DatasetError in raised
    assert all(issubclass(error, PathlightError) for error in raised), raised
