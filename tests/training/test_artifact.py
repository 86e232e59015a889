from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from safetensors.numpy import load_file

from training.artifact import Artifact, ArtifactError, read_artifact, write_artifact
from training.judging.judgement import JudgementError, read_judgement
from training.train import train

FILES = ["items.parquet", "similar.parquet", "users.parquet", "weights.safetensors"]


@pytest.fixture
def written(make_snapshot, tmp_path) -> Artifact:
    """A small trained artifact, read back."""
    generator = np.random.default_rng(1)
    rows = [
        (int(user), int(item), 1.0, at)
        for at, (user, item) in enumerate(generator.integers(0, [6, 9], (40, 2)))
    ]
    train(make_snapshot([*rows, (0, 0, -1.0, 99)], 7, 10), tmp_path / "artifact")
    return read_artifact(tmp_path / "artifact")


def rewrite(artifact: Artifact, directory, **changes) -> Artifact:
    return write_artifact(directory, replace(artifact, **changes), {})


def test_what_is_written_is_read_back(written, tmp_path):
    rewrite(written, tmp_path / "copy")
    copy = read_artifact(tmp_path / "copy")

    assert (copy.item_ids, copy.user_keys) == (written.item_ids, written.user_keys)
    assert np.array_equal(copy.scorer.item_vectors, written.scorer.item_vectors)
    assert np.array_equal(copy.scorer.event_vectors, written.scorer.event_vectors)
    assert copy.residuals is not None and written.residuals is not None
    assert np.array_equal(copy.residuals, written.residuals)
    for name in ("history", "seen"):
        assert np.array_equal(getattr(copy, name).toarray(), getattr(written, name).toarray())
    assert np.array_equal(copy.scorer.similar.toarray(), written.scorer.similar.toarray())
    assert copy.scorer.blend == written.scorer.blend


def test_raw_weights_are_kept_beside_the_vectors(written, tmp_path):
    weights = load_file(tmp_path / "artifact" / "weights.safetensors")

    assert {name: array.shape for name, array in weights.items()} == {
        "user_embedding": (7, 64),
        "item_embedding": (10, 64),
    }


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(written, tmp_path, name):
    path = tmp_path / "artifact" / name
    path.write_bytes(path.read_bytes()[:-3])

    with pytest.raises(ArtifactError, match=name):
        read_artifact(tmp_path / "artifact")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(written, tmp_path, name):
    (tmp_path / "artifact" / name).unlink()

    with pytest.raises(ArtifactError, match=name):
        read_artifact(tmp_path / "artifact")


def test_a_truncated_model_json_is_named(written, tmp_path):
    path = tmp_path / "artifact" / "model.json"
    path.write_text(path.read_text()[:100])

    with pytest.raises(ArtifactError, match=r"model\.json"):
        read_artifact(tmp_path / "artifact")


def test_a_truncated_judgement_is_named_and_what_serves_is_read_all_the_same(written, tmp_path):
    path = tmp_path / "artifact" / "judgement.json"
    path.write_text(path.read_text()[:100])

    with pytest.raises(JudgementError, match=r"judgement\.json"):
        read_judgement(tmp_path / "artifact")
    assert read_artifact(tmp_path / "artifact").item_ids == written.item_ids


@pytest.mark.faults
def test_vectors_that_are_not_finite_are_refused_and_nothing_is_written(written, tmp_path):
    assert written.residuals is not None
    residuals = written.residuals.copy()
    residuals[4, 2] = np.inf

    with pytest.raises(ArtifactError, match=r"residuals: row 4 is not finite \("):
        rewrite(written, tmp_path / "copy", residuals=residuals)

    assert {path.name for path in tmp_path.iterdir()} == {"snapshot", "artifact"}


@pytest.mark.faults
def test_vectors_of_another_length_are_refused_with_both(written, tmp_path):
    short = replace(written.scorer, item_vectors=written.scorer.item_vectors[:, :-1])

    with pytest.raises(ArtifactError, match="expected 10 vectors of 64 numbers, got 10 of 63"):
        rewrite(written, tmp_path / "copy", scorer=short)
    assert not (tmp_path / "copy").exists()

    path = tmp_path / "artifact" / "model.json"
    path.write_text(path.read_text().replace('"dimensions": 64', '"dimensions": 32'))
    with pytest.raises(ArtifactError, match="expected vectors of 32 numbers, got 64"):
        read_artifact(tmp_path / "artifact")


def test_without_residuals_none_are_read(written, tmp_path):
    rewrite(written, tmp_path / "copy", residuals=None)

    assert read_artifact(tmp_path / "copy").residuals is None


def test_an_empty_history_survives(written, tmp_path):
    empty = sp.csr_matrix((7, 10), dtype=np.float32)
    rewrite(written, tmp_path / "copy", history=empty, seen=empty)

    assert read_artifact(tmp_path / "copy").history.nnz == 0
