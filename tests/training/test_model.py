"""A model of one's own: one file, tried by the recipe without a change elsewhere."""

import numpy as np
import torch
from torch import nn

from training.data import interactions
from training.model import Model, ModelConfig, Vectors
from training.recipe import RecipeConfig, fit, judge
from training.world import World


class FactorsConfig(ModelConfig):
    """`dimensions`: d."""

    name = "factors"
    dimensions: int = 8

    def build(self, world, *, seed, device) -> "Factors":
        return Factors(self, world.graph, seed).to(device)


class Factors(Model):
    """Plain matrix factorisation: everybody is their residual."""

    def __init__(self, config: FactorsConfig, graph, seed: int):
        super().__init__()
        torch.manual_seed(seed)
        self.users = nn.Parameter(torch.randn(graph.shape[0], config.dimensions))
        self.items = nn.Parameter(torch.randn(graph.shape[1], config.dimensions))

    def forward(self):
        return self.users, self.items

    @torch.no_grad()
    def export(self, *, cosine: bool = True) -> Vectors:
        items = nn.functional.normalize(self.items, dim=1).numpy()
        return Vectors(items, np.zeros_like(items), self.users.numpy())


def test_the_recipe_trains_and_judges_a_model_it_has_never_heard_of():
    users, items = np.divmod(np.arange(40 * 20), 20)
    even = users % 2 == items % 2
    data = interactions(users[even], items[even], 40, 20)
    config = RecipeConfig(model=FactorsConfig(), temperatures=(0.2,), regs=(10,), truncations=(5,))

    fitted = fit(World(data), config=config, seed=1)

    assert fitted.settings.recipe()["model"] == "factors"
    assert "factors" in judge(fitted, data)
    assert fitted.settings.trials[0]["model"] == "factors"
