"""Models are found by name."""

import pytest

from training.errors import UnknownModelError
from training.models import find_model, models
from training.models.lightgcn import LightGCNConfig


def test_a_file_with_a_name_is_a_model():
    assert models()["lightgcn"] is LightGCNConfig is find_model("lightgcn")


def test_an_unknown_name_is_told_what_there_is():
    with pytest.raises(UnknownModelError, match=r"no model 'lightgnc': expected one of .*lightgcn"):
        find_model("lightgnc")
