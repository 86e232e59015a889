import importlib
import inspect
import pkgutil

import training
from training.errors import TrainingError


def test_whatever_training_raises_is_caught_by_one_clause():
    """`python -m training` turns this family, and no other, into one sentence."""
    raised = {
        found
        for module in pkgutil.walk_packages(training.__path__, "training.")
        if module.name != "training.__main__"
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == module.name
    }

    assert len(raised) >= 5
    assert all(issubclass(error, TrainingError) for error in raised)
