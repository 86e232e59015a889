"""Words of the command line become checked settings, and a recipe's file the same ones again."""

import argparse
import json
from pathlib import Path

import pytest

from training.errors import SettingError, UnknownNameError
from training.loss import LossConfig
from training.losses.bsl import BslConfig
from training.model import ModelConfig
from training.models.lightgcn import LightGCNConfig
from training.search.choice import (
    Choice,
    RecipeFile,
    RecipeFileError,
    everything,
    read_recipe_file,
    write_recipe_file,
)
from training.search.recipe import RecipeConfig


def test_nothing_asked_for_is_the_default_recipe():
    assert Choice().chosen().recipe() == RecipeConfig()


def test_names_and_settings_are_looked_up_and_kept_as_they_are():
    asked = ("model.hops=3", "loss.temperature=.1", "training.learning_rate=1e-3")
    chosen = Choice("lightgcn", "bsl", asked, alone=True).chosen()

    assert chosen.model == LightGCNConfig(hops=3)
    assert chosen.training.loss == BslConfig(temperature=0.1)
    assert chosen.training.learning_rate == 0.001
    recipe = chosen.recipe()
    assert recipe.fixed == {"model.hops", "loss.temperature", "training.learning_rate"}
    assert (recipe.model, recipe.training, recipe.alone) == (chosen.model, chosen.training, True)


def test_no_other_loss_is_tried_beside_one_that_is_named():
    default = RecipeConfig()

    assert Choice(loss=default.training.loss.name).chosen().recipe().others == ()
    assert Choice(model="lightgcn").chosen().recipe().others == default.others


@pytest.mark.parametrize("name", ModelConfig.kinds())
def test_every_model_is_tried_within_its_range_of_hops(name):
    recipe = Choice(model=name).chosen().recipe()

    for hops in recipe.hops if hasattr(recipe.model, "hops") else ():
        ModelConfig.of(name, {"hops": hops})


@pytest.mark.parametrize(
    ("choice", "error", "sentence"),
    [
        (Choice(model="gnc"), UnknownNameError, "no model 'gnc': expected one of .*lightgcn"),
        (Choice(loss="bpt"), UnknownNameError, "no loss 'bpt': expected one of .*bpr"),
        (Choice(settings=("model.hops=9",)), SettingError, "hops is 9, expected .* at most 8"),
        (Choice(settings=("model.hops=two",)), SettingError, "hops is 'two', expected a whole num"),
        (Choice(settings=("loss.tau=1",)), SettingError, "no setting 'tau': expected one of"),
        (Choice(settings=("training.epochs=1",)), SettingError, "training has no setting 'epochs'"),
        (Choice(settings=("hops=3",)), SettingError, "'hops=3', expected PART.NAME=VALUE"),
        (Choice(settings=("graph.hops=3",)), SettingError, "one of model, loss, training"),
        (Choice(settings=("training.loss=bpr",)), SettingError, "name the loss with --loss"),
    ],
)
def test_what_does_not_exist_or_is_out_of_range_is_one_sentence(choice, error, sentence):
    with pytest.raises(error, match=sentence):
        choice.chosen()


def test_the_options_of_a_choice_are_the_choice_again(tmp_path: Path):
    settings = ("model.hops=3", "loss.tilt=-1")
    choice = Choice("lightgcn", "bsl", settings, tmp_path / "recipe.json", True)
    parser = argparse.ArgumentParser()
    Choice.add_arguments(parser)

    assert Choice.of(parser.parse_args(choice.arguments())) == choice
    assert Choice.of(parser.parse_args(Choice().arguments())) == Choice()


def test_a_recipe_read_back_is_trained_as_it_says_with_what_was_tried_before(tmp_path: Path):
    asked = Choice("lightgcn", "bsl", ("model.hops=1", "training.batch_size=64")).chosen()
    path = tmp_path / "recipe.json"
    rows = [{"model": "lightgcn", "ndcg": 0.25}]
    write_recipe_file(
        path,
        RecipeFile(model=asked.model.described(), training=asked.training.described(), trials=rows),
    )

    chosen = Choice(recipe=path, settings=("training.patience=9",)).chosen()

    assert chosen.model == asked.model
    assert chosen.training == asked.training.model_copy(update={"patience": 9})
    assert {"model.hops", "loss.temperature"} <= chosen.recipe().fixed
    assert chosen.recipe().trials == tuple(rows)


def test_a_recipe_by_hand_needs_no_more_than_what_differs(tmp_path: Path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"training": {"loss": {"name": "bpr"}}, "alone": True}))

    chosen = Choice(recipe=path).chosen()

    assert chosen.model == RecipeConfig().model
    assert chosen.training.loss == LossConfig.of("bpr")
    assert chosen.alone


def test_a_recipe_beside_a_name_is_refused(tmp_path: Path):
    with pytest.raises(SettingError, match="names a model and a loss already"):
        Choice(model="lightgcn", recipe=tmp_path / "recipe.json").chosen()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "recipe.json: content: Invalid JSON"),
        ('{"modell": {}}', "recipe.json: modell: Extra inputs"),
        ('{"model": []}', "recipe.json: model: Input should be"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_sentence(content, sentence, tmp_path: Path):
    path = tmp_path / "recipe.json"
    path.write_text(content)

    with pytest.raises(RecipeFileError, match=sentence):
        read_recipe_file(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path):
    with pytest.raises(RecipeFileError, match="there is no recipe"):
        read_recipe_file(tmp_path / "recipe.json")


def test_everything_that_may_be_named_is_listed_with_its_range():
    rows = {(row["kind"], row["name"], row["setting"]): row for row in everything()}

    hops = rows["model", "lightgcn", "hops"]
    assert (hops["default"], hops["expected"]) == (2, "a whole number at least 0 and at most 8")
    assert rows["loss", "bsl", "similarity"]["expected"] == "one of cosine, inner_product"
    assert ("closed form", "ease", "reg") in rows
    assert ("training", "", "learning_rate") in rows and ("training", "", "loss") not in rows
