"""Recipes for tests: one that learns in a moment, and one that learns nothing."""

from training.closed_forms.ease import EaseConfig
from training.running.loop import TrainingConfig
from training.search.recipe import RecipeConfig

QUICK = RecipeConfig(
    hops=(1,),
    temperature_ratios=(),
    others=(),
    forms=(EaseConfig(reg=10),),
    truncations=(20,),
    training=TrainingConfig(max_epochs=4),
)

IGNORANT = RecipeConfig(
    hops=(0,),
    temperature_ratios=(),
    others=(),
    training=TrainingConfig(max_epochs=1, learning_rate=0),
    alone=True,
)
"""The drawn vectors as they are, and no closed form."""
