"""Snapshots that nobody wished for: refused in one sentence, or learned from without harm.

Empty ones, one event, one user, one item, missing and truncated files and other schema versions are
tests of training.train and training.artifact.
"""

import json

import numpy as np
import pytest

from tests.training.recipes import QUICK
from training.artifact import SCHEMA_VERSION, Artifact, ArtifactError, read_artifact
from training.errors import InvalidEventError, NoEventsError
from training.judging.judgement import read_judgement
from training.losses.mse import MseConfig
from training.search.recipe import RecipeConfig
from training.train import train

ROWS = [(user, (user + step) % 6, 1.0, step) for user in range(8) for step in range(5)]


def learned(snapshot, directory, config: RecipeConfig = QUICK) -> Artifact:
    """The artifact trained on the snapshot, whose scores are all numbers."""
    train(snapshot, directory, config=config)
    artifact = read_artifact(directory)
    scores = artifact.scorer.scores(artifact.history, artifact.residuals)
    assert np.isfinite(scores).all()
    return artifact


def test_people_and_items_without_events_are_in_the_artifact_and_change_nobody(
    make_snapshot, tmp_path
):
    artifact = learned(make_snapshot(ROWS, 10, 9), tmp_path / "m1")

    assert (len(artifact.user_keys), len(artifact.item_ids)) == (10, 9)
    scores = artifact.scorer.scores(artifact.history, artifact.residuals)
    assert not scores[8:].any()
    assert artifact.popularity[6:].tolist() == [0, 0, 0]


def test_the_same_event_twice_is_learned_from_once(make_snapshot, tmp_path):
    once = learned(make_snapshot(ROWS, 8, 6), tmp_path / "once")
    twice = learned(make_snapshot([*ROWS, *ROWS], 8, 6, name="s2"), tmp_path / "twice")

    assert (twice.history.toarray() == 2 * once.history.toarray()).all()
    assert np.array_equal(twice.scorer.item_vectors, once.scorer.item_vectors)


def test_events_that_contradict_each_other_are_seen_and_not_learned_from(make_snapshot, tmp_path):
    taken_back = [(0, 1, -1.0, 99), (0, 5, 1.0, 100), (0, 5, -1.0, 101)]

    artifact = learned(make_snapshot([*ROWS, *taken_back], 8, 6), tmp_path / "m1")

    assert artifact.history.toarray()[0].tolist() == [1, 0, 1, 1, 1, 0]
    assert artifact.seen.toarray()[0].all()


def test_where_all_is_contradicted_there_is_nothing_to_learn_from(make_snapshot, tmp_path):
    against = [(user, item, -weight, at + 50) for user, item, weight, at in ROWS]

    with pytest.raises(NoEventsError, match="80 events and none with a positive weight"):
        train(make_snapshot([*ROWS, *against], 8, 6), tmp_path / "m1")


def test_where_only_the_latest_is_positive_nothing_is_held_out(make_snapshot, tmp_path):
    turned = [(user, item, 1.0 if at == 4 else -1.0, at) for user, item, _, at in ROWS]

    artifact = learned(make_snapshot(turned, 8, 6), tmp_path / "m1")

    assert artifact.model.metrics == {}
    assert not (tmp_path / "m1" / "judgement.json").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_rating_that_is_no_number_is_refused_with_its_row(value, make_snapshot, tmp_path):
    rows = [(*row, 4.0) for row in ROWS]
    rows[3] = (*ROWS[3], value)

    with pytest.raises(InvalidEventError, match=rf"events.parquet, row 3: value is {value},"):
        train(make_snapshot(rows, 8, 6), tmp_path / "m1")

    assert not (tmp_path / "m1").exists()


@pytest.mark.parametrize("loss", [QUICK.training.loss, MseConfig()], ids=["softmax", "mse"])
def test_one_constant_rating_is_learned_from_and_foretold(loss, make_snapshot, tmp_path):
    rows = [(*row, 4.0) for row in ROWS]
    training = QUICK.training.model_copy(update={"loss": loss})
    config = RecipeConfig(hops=(1,), temperature_ratios=(), others=(), training=training)

    learned(make_snapshot(rows, 8, 6), tmp_path / "m1", config)

    figures = read_judgement(tmp_path / "m1").model("default").metrics
    assert figures["rmse"].value == pytest.approx(0, abs=1e-6)
    assert figures["mae"].value == pytest.approx(0, abs=1e-6)


def test_an_artifact_of_another_schema_version_is_refused_by_number(make_snapshot, tmp_path):
    learned(make_snapshot(ROWS, 8, 6), tmp_path / "m1")
    path = tmp_path / "m1" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))

    with pytest.raises(ArtifactError, match=f"is 99, this program reads {SCHEMA_VERSION}"):
        read_artifact(tmp_path / "m1")
