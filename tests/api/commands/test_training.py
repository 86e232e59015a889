"""Training's commands: what they refuse before anything is loaded for it."""

from pathlib import Path

from tests.api.pathlight import Run, refused


def test_a_snapshot_that_is_none_is_one_sentence(run: Run, tmp_path: Path):
    done = run("train", str(tmp_path))

    assert "is not a snapshot: it has no manifest.json" in refused(done)
