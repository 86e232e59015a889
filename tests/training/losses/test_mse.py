from dataclasses import replace

import numpy as np
import torch

from tests.training.batches import given
from training.losses.mse import MseConfig
from training.world import Events


def rated(world, value: float):
    """The world where each pair was rated so."""
    pairs = world.graph.tocoo()
    count = pairs.nnz
    events = Events(
        user=pairs.row,
        item=pairs.col,
        type=np.zeros(count, np.int8),
        value=np.full(count, value),
        at=np.arange(count),
        weight=pairs.data,
        types=("RATED",),
    )
    return replace(world, events=events)


def test_equals_the_formula_on_ratings_and_on_weights_without_one():
    here = given()
    world = rated(here.world, 5)
    weight, value = here.batch.weight, here.batch.value
    target = [w if v.isnan() else v / 5 for v, w in zip(value, weight, strict=True)]
    expected = here.mean(
        [
            (u @ i - t) ** 2 + 0.3 * torch.stack([(u @ j) ** 2 for j in here.drawn]).mean()
            for (u, i, _), t in zip(here.rows, target, strict=True)
        ]
    )

    loss = MseConfig(negative_weight=0.3).build(world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)


def test_without_negatives_it_fits_the_ratings_alone():
    here = given(negatives=0)
    world = rated(here.world, 5)
    here.batch.value[:] = 4
    expected = here.mean([(u @ i - 0.8) ** 2 for u, i, _ in here.rows])

    loss = MseConfig(negatives=0).build(world)

    torch.testing.assert_close(loss(here.users, here.items, here.batch), expected)


def test_constant_ratings_are_a_target_like_any_other():
    here = given()
    for constant in (3.0, 0.0):
        here.batch.value[:] = constant
        loss = MseConfig().build(rated(here.world, constant))
        assert torch.isfinite(loss(here.users, here.items, here.batch))
