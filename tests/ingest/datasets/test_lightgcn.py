"""The LightGCN text format: both files, each line's pairs, the train file first."""

import pytest

from graphdb.domain import load_domain
from ingest.datasets.folders import read_folder
from ingest.datasets.lightgcn import READER, read_lightgcn
from ingest.errors import DatasetError
from tests.tables import counted

TRAIN, TEST = 810_128, 217_242


def test_the_counts_are_the_files(data_folder):
    found = read_folder(data_folder / "gowalla")

    assert [path.name for path in found.events.files] == ["train.txt", "test.txt"]
    assert counted(found, load_domain(found.domain)) == {
        "types": {"visited": TRAIN + TEST},
        "people": 29_858,
        "things": 40_981,
        "rejected": {},
        "catalogue": {},
    }


def test_a_train_file_of_lists_is_recognised_and_may_be_alone(tmp_path):
    assert not READER.recognises(tmp_path)
    (tmp_path / "train.txt").write_text("0 1 2\n1 2\n2\n")
    assert READER.recognises(tmp_path)
    assert counted(read_lightgcn(tmp_path), load_domain("social"))["types"] == {"visited": 3}
    (tmp_path / "train.txt").write_text("a tale of two files\n")
    assert not READER.recognises(tmp_path)


def test_a_folder_without_train_file_is_told(tmp_path):
    with pytest.raises(DatasetError, match=r"train\.txt: there is no such file"):
        read_lightgcn(tmp_path)
