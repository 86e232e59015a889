"""Which reader takes a folder, and what is said when none does."""

import pytest

from ingest.datasets.folders import read_folder, readers
from ingest.errors import DatasetError


def test_movielens_is_recognised(data_folder):
    dataset = read_folder(data_folder / "ml-100k")

    assert (dataset.name, len(dataset.events)) == ("ml-100k", 100_000)


def test_an_unknown_folder_is_told_what_is_known(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no data set that is known here \(.*MovieLens"):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(DatasetError, match="there is no such folder"):
        read_folder(tmp_path / "absent")


def test_every_reader_has_a_name_of_its_own():
    names = [reader.name for reader in readers()]
    assert len(set(names)) == len(names) >= 1
