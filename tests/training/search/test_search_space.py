"""What a search tries follows from settings' ranges, and what it draws is held to them."""

from typing import ClassVar

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel, Field

from training.errors import SettingError
from training.loss import LossConfig
from training.model import ModelConfig
from training.models.lightgcn import LightGCNConfig
from training.named import Search, Span
from training.running.loop import TrainingConfig
from training.search.search_space import SearchSpace, declarations, searched


class Settings(BaseModel):
    """One field of each sort."""

    search: ClassVar[Search] = {"spelled": Span(1, 100, log=True), "kept": None}

    flag: bool = True
    few: int = Field(default=2, ge=0, le=4)
    ratio: float = Field(default=0.5, gt=0, lt=1)
    zero: float = Field(default=0.0, ge=0)
    spelled: int = 10
    kept: float = 3.0


class Narrower(Settings):
    """A class says anew what one field is tried at."""

    search: ClassVar[Search] = {"kept": (1.0, 2.0)}


def test_fields_without_a_word_are_tried_around_their_values():
    found = searched(Settings())
    assert found["flag"] == CategoricalDistribution((False, True))
    assert found["few"] == IntDistribution(1, 3)
    ratio = found["ratio"]
    assert isinstance(ratio, FloatDistribution)
    assert ratio.log
    assert 0 < ratio.low < 0.5 < ratio.high < 1
    assert "zero" not in found


def test_a_declared_range_is_taken_and_a_declared_none_stays():
    found = searched(Settings())
    assert found["spelled"] == IntDistribution(1, 100, log=True)
    assert "kept" not in found


def test_a_declared_range_is_widened_to_hold_the_value():
    assert searched(Settings(spelled=500))["spelled"] == IntDistribution(1, 500, log=True)


def test_the_nearest_declaration_counts():
    assert declarations(Narrower)["kept"] == (1.0, 2.0)
    assert declarations(Narrower)["spelled"] == Span(1, 100, log=True)


@pytest.mark.parametrize("model", ModelConfig.kinds().values(), ids=ModelConfig.kinds())
@pytest.mark.parametrize("loss", LossConfig.kinds().values(), ids=LossConfig.kinds())
def test_both_ends_of_every_range_are_settings_that_their_classes_take(model, loss):
    space = SearchSpace(model(), TrainingConfig(loss=loss()))
    assert space.settings(space.start) == (space.model, space.training)
    for name, way in space.distributions.items():
        ends = way.choices if isinstance(way, CategoricalDistribution) else (way.low, way.high)
        for value in ends:
            space.settings({name: value})


def test_what_is_fixed_keeps_its_value():
    space = SearchSpace(LightGCNConfig(), TrainingConfig(), frozenset({"model.hops"}))
    assert "model.hops" not in space.distributions
    assert "loss.temperature" in space.distributions


def test_a_drawn_value_out_of_range_is_refused_with_the_range():
    space = SearchSpace(LightGCNConfig(), TrainingConfig())
    with pytest.raises(SettingError, match="temperature is 99, expected a number more than 0"):
        space.settings({"loss.temperature": 99})
