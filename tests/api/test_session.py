"""What a command works on: the files of its home."""

import os

import pytest

from api.session import newest
from graphdb.errors import PathlightError


def test_the_newest_finished_entry_is_taken(tmp_path):
    for age, name in enumerate([".building", "b", "a", "c"]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1_000_000 - age, 1_000_000 - age))

    assert newest(tmp_path, "snapshot").name == "b"


def test_none_at_all_is_one_sentence(tmp_path):
    (tmp_path / ".building").mkdir()

    with pytest.raises(PathlightError, match="there is no snapshot in"):
        newest(tmp_path, "snapshot")
