"""A model of one's own: one file, tried by the recipe without a change elsewhere."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from benchmarks.judging import judge
from tests.training.worlds import world_of
from training.data import interactions
from training.model import Model, ModelConfig, unit
from training.scorer import Scorer
from training.search.recipe import RecipeConfig, fit
from training.world import World


class FactorsConfig(ModelConfig):
    """`dimensions`: d."""

    name = "factors"
    dimensions: int = 8

    def body(self, world, *, seed, device) -> "Factors":
        return Factors(self, world, seed).to(device)


class Factors(Model):
    """Plain matrix factorisation: users are no sum over their events."""

    def __init__(self, config: FactorsConfig, world: World, seed: int):
        super().__init__(world)
        torch.manual_seed(seed)
        users, items = world.graph.shape
        self.users = nn.Parameter(torch.randn(users, config.dimensions))
        self.items = nn.Parameter(torch.randn(items, config.dimensions))

    def forward(self):
        return self.users, self.items


@pytest.mark.parametrize("cosine", [True, False])
def test_the_exported_vectors_score_as_the_model(six_nodes, cosine):
    model = FactorsConfig().build(world_of(six_nodes), seed=1, device="cpu")
    vectors = model.export(cosine=cosine)
    nothing = sp.csr_matrix((3, 3), dtype=np.float32)
    scorer = Scorer(vectors.item_vectors, vectors.event_vectors, nothing, 0.0, cosine=cosine)

    users, items = (half.detach().numpy() for half in model())
    expected = unit(users) @ unit(items).T if cosine else users @ items.T

    assert vectors.residuals is not None and vectors.event_vectors.any()
    np.testing.assert_allclose(scorer.scores(six_nodes, vectors.residuals), expected, atol=1e-5)


def test_the_recipe_trains_and_judges_a_model_it_has_never_heard_of():
    users, items = np.divmod(np.arange(40 * 20), 20)
    even = users % 2 == items % 2
    data = interactions(users[even], items[even], 40, 20)
    config = RecipeConfig(model=FactorsConfig(), temperature_ratios=(), others=(), truncations=(5,))

    fitted = fit(World(data), config=config, seed=1)

    assert fitted.settings.recipe()["model"]["name"] == "factors"
    assert "factors" in judge(fitted, data)
    assert "factors" in {row["model"] for row in fitted.settings.trials}
