"""Recipes read back from `model.json`."""

import json
from dataclasses import replace

import pytest

from training.artifact import ArtifactError, Model, read_model
from training.frozen import frozen_settings
from training.loop import TrainingConfig
from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCNConfig
from training.recipe import Settings
from training.selection import ClosedForm
from training.train import train

SETTINGS = Settings(
    LightGCNConfig(dimensions=8, hops=1),
    TrainingConfig(loss=BprConfig(), max_epochs=3, learning_rate=0.02),
    ClosedForm(reg=20, truncation=50, blend=0.4),
)


@pytest.fixture
def model(make_snapshot, tmp_path) -> Model:
    train(make_snapshot([(0, 0, 1.0, 0)], 1, 1), tmp_path / "m1")
    return read_model(tmp_path / "m1")


def with_recipe(model: Model, recipe: dict) -> Model:
    return model.model_copy(update={"recipe": recipe})


def test_what_is_written_is_read_back(model):
    written = json.loads(json.dumps(SETTINGS.recipe()))

    found = frozen_settings(with_recipe(model, {**written, "text_encoder": None}))

    assert replace(found, trials=[], curve=[]) == SETTINGS


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"model": {"name": "gone"}}, "there is no model 'gone': expected one of"),
        ({"model": {"name": "lightgcn", "hops": 99}}, "hops is 99, expected"),
        ({"model": {"name": "lightgcn", "old": 1}}, "has no setting 'old'"),
        ({"closed_form": {"blend": "much"}}, "closed_form: blend"),
        ({"training": {"loss": {"name": "gone"}}}, "there is no loss 'gone'"),
    ],
)
def test_a_recipe_of_another_program_is_refused_by_its_setting(model, change, sentence):
    with pytest.raises(ArtifactError, match=f"artifact m1: its recipe .*{sentence}"):
        frozen_settings(with_recipe(model, {**SETTINGS.recipe(), **change}))


@pytest.mark.parametrize("missing", ["model", "training", "closed_form"])
def test_a_recipe_with_a_part_missing_is_refused_by_it(model, missing):
    rest = {name: part for name, part in SETTINGS.recipe().items() if name != missing}

    with pytest.raises(ArtifactError, match=f"it has no '{missing}'"):
        frozen_settings(with_recipe(model, rest))
