"""Training's commands: what they refuse before anything is loaded for it."""

import json
from pathlib import Path

from tests.api.pathlight import Run, refused
from training.artifact import read_model


def test_a_snapshot_that_is_none_is_one_sentence(run: Run, tmp_path: Path):
    done = run("train", str(tmp_path))

    assert "is not a snapshot: it has no manifest.json" in refused(done)


def test_models_are_listed_with_their_settings_and_ranges(run: Run):
    listed = json.loads(run("models", "--json").stdout)

    rows = {(row["name"], row["setting"]): row["expected"] for row in listed}
    assert rows["lightgcn", "hops"] == "a whole number at least 0 and at most 8"
    assert {row["kind"] for row in listed} == {"model", "loss", "closed form", "training"}


def test_it_goes_on_from_an_artifact_with_its_settings_and_says_where_the_curves_are(
    artifact: Path, run: Run
):
    done = run("train", "--from", str(artifact))

    assert done.returncode == 0, done.stderr
    [new] = set(artifact.parent.glob("[!.]*")) - {artifact}
    assert done.stdout.splitlines()[0] == (
        f"artifact {new} (seed 1); curves: tensorboard --logdir {artifact.parent}"
    )
    assert read_model(new).recipe["model"] == read_model(artifact).recipe["model"]
    assert list((new / "tensorboard").iterdir())
