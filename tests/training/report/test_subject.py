"""What cannot be reported on is refused with the file's name."""

import json

import pytest

from tests.training.report.subjects import judgement, write_subject
from training.artifact import ArtifactError
from training.judging.judgement import JudgementError
from training.report.subject import read_subject


def test_artifact_and_judgement_are_read(tmp_path):
    subject = read_subject(write_subject(tmp_path / "m1"))

    assert (subject.model.id, subject.judgement) == ("m1", judgement())


def test_a_folder_that_is_no_artifact(tmp_path):
    with pytest.raises(ArtifactError, match=r"is not an artifact: it has no model\.json"):
        read_subject(tmp_path)


def test_an_artifact_that_was_never_judged(tmp_path):
    (write_subject(tmp_path / "m1") / "judgement.json").unlink()

    with pytest.raises(
        JudgementError, match=r"there is no .*judgement\.json: `pathlight evaluate`"
    ):
        read_subject(tmp_path / "m1")


@pytest.mark.parametrize(
    "name", ["model.json", "items.parquet", "users.parquet", "similar.parquet", "judgement.json"]
)
def test_a_truncated_file_is_named(tmp_path, name):
    path = write_subject(tmp_path / "m1") / name
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises((ArtifactError, JudgementError), match=name):
        read_subject(tmp_path / "m1")


@pytest.mark.parametrize("name", ["model.json", "judgement.json"])
def test_another_schema_version_is_refused_by_number(tmp_path, name):
    path = write_subject(tmp_path / "m1") / name
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))

    with pytest.raises((ArtifactError, JudgementError), match="99, this program reads 1"):
        read_subject(tmp_path / "m1")
