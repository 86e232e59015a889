"""Titles come from a snapshot's items and are one short line each, whatever stands there."""

import pytest

from graphdb.snapshot import SnapshotError
from tests.hostile import HOSTILE
from tests.training.report.subjects import write_catalogue
from training.report.titles import LONGEST, item_titles, shown


def test_a_title_else_the_start_of_the_text_else_the_id(tmp_path):
    catalogue = write_catalogue(
        tmp_path / "c", title=["Alien", None, ""], text=["a film", "Brazil. A clerk", None]
    )

    found = item_titles(["i1", "i0", "i2", "gone"], catalogue)

    assert found == ["Brazil. A clerk", "Alien", "i2", "gone"]
    assert item_titles(["i1"], None) == ["i1"]


def test_a_catalogue_without_titles_or_texts_gives_ids(tmp_path):
    assert item_titles(["i0"], write_catalogue(tmp_path / "c", year=["1979"])) == ["i0"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_shown_is_one_short_line_of_what_can_be_seen(text):
    found = shown(text)

    assert len(found) <= LONGEST
    assert found.isprintable()
    assert found == found.strip()


def test_an_altered_catalogue_and_none_are_refused(tmp_path):
    catalogue = write_catalogue(tmp_path / "c", title=["Alien"])
    (catalogue / "items.parquet").write_bytes(b"")

    with pytest.raises(SnapshotError, match=r"items\.parquet is not as it was written"):
        item_titles(["i0"], catalogue)
    with pytest.raises(SnapshotError, match="is not a snapshot"):
        item_titles(["i0"], tmp_path)
