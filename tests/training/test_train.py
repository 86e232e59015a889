import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from graphdb.snapshot import SCHEMA_VERSION, SnapshotError, read_snapshot
from tests.training.recipes import IGNORANT, QUICK
from training.artifact import read_artifact
from training.errors import NoEventsError
from training.judging.assessment import Assessment
from training.judging.contest import judge_fitted, point_figures
from training.judging.evaluation import rank, scorer_scores
from training.judging.gate import verdict
from training.judging.judgement import read_judgement
from training.running.loop import Progress
from training.search.recipe import fit
from training.snapshots import snapshot_interactions
from training.splits import split
from training.train import TEST_SHARE, save_fitted, train
from training.world import World

ROOT = Path(__file__).parents[2]


@pytest.fixture
def events() -> list[tuple]:
    """60 users of two tastes, 40 items, about 700 events."""
    generator = np.random.default_rng(1)
    return [
        (user, int(item) * 2 + user % 2, 1.0, int(at))
        for user in range(60)
        for item, at in zip(generator.integers(0, 20, 12), generator.permutation(12), strict=True)
    ]


def test_the_artifact_scores_as_what_was_trained_and_says_how(events, make_snapshot, tmp_path):
    snapshot, steps = make_snapshot(events, 60, 40), []

    model = train(snapshot, tmp_path / "m1", config=QUICK, progress=steps.append)

    artifact = read_artifact(tmp_path / "m1")
    assert (artifact.model, model.id) == (model, "m1")
    assert set(model.metrics) == {"default", "lightgcn", "ease", "itemknn", "popularity"}
    judgement = read_judgement(tmp_path / "m1")
    assert judgement.models[0].name == "default"
    assert point_figures(judgement) == model.metrics
    assert {pair.second for pair in judgement.paired} == set(model.metrics) - {"default"}
    assert model.metrics["default"]["ndcg@10"] > model.metrics["popularity"]["ndcg@10"]
    assert model.recipe["closed_form"]["truncation"] and model.trials and model.libraries["torch"]
    assert {step.step for step in steps} >= {
        "closed forms",
        "blend",
        "evaluation",
        "refit",
        "refit on all",
    }
    assert [row["epoch"] for row in model.curve] == list(range(1, len(model.curve) + 1))
    assert max(row.get("ndcg", 0) for row in model.curve) in {
        row.get("ndcg") for row in model.trials
    }
    assert 5e7 < model.peak_bytes["rss"] < 1e11
    assert all(isinstance(step, Progress) and step.done <= step.total for step in steps)


def test_what_is_reported_is_found_again_from_the_files_that_serve(events, make_snapshot, tmp_path):
    snapshot = read_snapshot(make_snapshot(events, 60, 40))
    data = snapshot_interactions(snapshot)
    parts = split(data, "latest", TEST_SHARE, seed=1)
    fitted = fit(World(parts.train), config=QUICK, seed=1)
    judgement = judge_fitted(Assessment(World(data), parts, 1), fitted)
    save_fitted(tmp_path / "m1", snapshot, fitted, seed=1, judgement=judgement, seconds={})

    served = read_artifact(tmp_path / "m1")
    scores = scorer_scores(served.scorer, served.history, served.residuals, served.popularity)

    found = rank(scores, served.history, parts.test.history()).metrics()
    assert found == pytest.approx(served.model.metrics["default"], abs=1e-9)


def test_by_a_moment_for_all_what_serves_is_judged_beside_and_a_worse_recipe_is_refused(
    events, make_snapshot, tmp_path
):
    snapshot = make_snapshot(events, 60, 40)
    train(snapshot, tmp_path / "good", config=QUICK)

    train(
        snapshot, tmp_path / "bad", config=IGNORANT, split="time", against=tmp_path / "good", seed=2
    )

    judgement = read_judgement(tmp_path / "bad")
    assert judgement.split.startswith("one moment for all")
    assert {pair.second for pair in judgement.paired} >= {"serving", "popularity", "ease"}
    found = verdict(judgement)
    assert found.refused
    assert "measurably worse than the recipe that serves: ndcg@10" in found.sentence


def test_what_serves_and_cannot_be_fitted_again_is_a_note_of_the_judgement(
    events, make_snapshot, tmp_path
):
    snapshot = make_snapshot(events, 60, 40)
    train(snapshot, tmp_path / "old", config=QUICK)
    model = tmp_path / "old" / "model.json"
    told = json.loads(model.read_text())
    told["recipe"]["model"]["name"] = "gone"
    model.write_text(json.dumps(told))

    train(snapshot, tmp_path / "new", config=QUICK, against=tmp_path / "old")

    judgement = read_judgement(tmp_path / "new")
    assert "serving" not in {judged.name for judged in judgement.models}
    assert "there is no model 'gone'" in judgement.notes["serving"]


def test_events_of_one_moment_are_judged_by_each_persons_latest(events, make_snapshot, tmp_path):
    at_once = [(user, item, weight, 5) for user, item, weight, _ in events]

    train(make_snapshot(at_once, 60, 40), tmp_path / "m1", config=QUICK, split="time")

    assert read_judgement(tmp_path / "m1").split.startswith("time within each user")


def test_the_curve_of_the_chosen_model_is_kept(events, make_snapshot, tmp_path):
    model = train(make_snapshot(events, 60, 40), tmp_path / "m1", config=QUICK)

    assert [row["epoch"] for row in model.curve] == list(range(1, len(model.curve) + 1))
    assert len(model.curve) >= model.recipe["training"]["max_epochs"]
    assert any("ndcg" in row for row in model.curve)


def test_the_same_seed_gives_the_same_artifact(events, make_snapshot, tmp_path):
    snapshot = make_snapshot(events, 60, 40)
    names = ("one", "two")
    for name in names:
        train(snapshot, tmp_path / name, config=QUICK, seed=3)

    first, second = (read_artifact(tmp_path / name).model for name in names)

    assert first.files == second.files
    assert (first.metrics, first.blend) == (second.metrics, second.blend)


@pytest.mark.parametrize(
    ("rows", "users", "items"),
    [
        ([(0, 0, 1.0, 0)], 1, 1),
        ([(0, item, 1.0, item) for item in range(12)], 1, 12),
        ([(user, 0, 1.0, user) for user in range(12)], 12, 1),
    ],
    ids=["one event", "one user", "one item"],
)
def test_the_smallest_snapshots_train(rows, users, items, make_snapshot, tmp_path):
    train(make_snapshot(rows, users, items), tmp_path / "m1")

    artifact = read_artifact(tmp_path / "m1")
    scores = artifact.scorer.scores(artifact.history, artifact.residuals)
    assert scores.shape == (users, items)
    assert np.isfinite(scores).all()
    told = (tmp_path / "m1" / "judgement.json").exists()
    assert told == bool(artifact.model.metrics) == (items > 1)


def test_text_reaches_the_items_that_nobody_touched(events, make_snapshot, tmp_path):
    text = np.random.default_rng(2).normal(size=(41, 8)).astype(np.float32).tolist()

    train(make_snapshot(events, 60, 41, text=text), tmp_path / "m1", config=QUICK)

    vectors = read_artifact(tmp_path / "m1").scorer.item_vectors
    assert np.linalg.norm(vectors[40]) > 0.01


def test_events_that_do_not_mark_an_item_as_seen_stay_in_the_history(
    events, make_snapshot, tmp_path
):
    train(make_snapshot(events, 60, 40, seen=False), tmp_path / "m1", config=QUICK)

    artifact = read_artifact(tmp_path / "m1")
    assert artifact.history.sum() == len(events)
    assert not artifact.seen.toarray().any()


def test_a_snapshot_without_events_is_refused(make_snapshot, tmp_path):
    with pytest.raises(NoEventsError, match="0 events and none with a positive weight"):
        train(make_snapshot([], 3, 3), tmp_path / "m1")

    assert not (tmp_path / "m1").exists()


@pytest.mark.parametrize("name", ["events.parquet", "items.parquet", "users.parquet"])
def test_a_missing_or_altered_file_of_the_snapshot_is_named(name, make_snapshot, tmp_path):
    snapshot = make_snapshot([(0, 0, 1.0, 0)], 1, 1)
    path = snapshot / name
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 0), path)
    with pytest.raises(SnapshotError, match=rf"{name} is not as it was written"):
        train(snapshot, tmp_path / "m1")
    path.unlink()
    with pytest.raises(SnapshotError, match=f"{name} is missing"):
        train(snapshot, tmp_path / "m1")


def test_another_schema_version_is_refused_by_number(make_snapshot, tmp_path):
    path = make_snapshot([(0, 0, 1.0, 0)], 1, 1) / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))

    with pytest.raises(SnapshotError, match=f"is 99, this program reads {SCHEMA_VERSION}"):
        train(path.parent, tmp_path / "m1")


def test_an_artifact_that_is_there_is_never_overwritten(make_snapshot, tmp_path):
    (tmp_path / "m1").mkdir()

    with pytest.raises(FileExistsError):
        train(make_snapshot([(0, 0, 1.0, 0)], 1, 1), tmp_path / "m1")
