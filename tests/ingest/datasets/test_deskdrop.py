"""Deskdrop's interactions as they lie in their folder: counts of the file."""

from graphdb.domain import load_domain
from ingest.datasets.deskdrop import READER
from ingest.datasets.folders import read_folder
from tests.tables import counted


def test_the_counts_are_the_files(data_folder):
    found = read_folder(data_folder / "deskdrop")

    assert counted(found, load_domain(found.domain)) == {
        "types": {
            "viewed": 61_086,
            "liked": 5_745,
            "bookmarked": 2_463,
            "commented": 1_611,
            "followed": 1_407,
        },
        "people": 1_895,
        "things": 2_987,
        "rejected": {},
        "catalogue": {"users": 1_895},
    }


def test_a_folder_without_the_file_is_not_its(tmp_path):
    assert not READER.recognises(tmp_path)
