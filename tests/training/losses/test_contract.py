"""What every loss promises, whichever files are in the room."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn import functional

from tests.training.batches import given
from tests.training.worlds import world_of
from training.loss import LossConfig
from training.models.lightgcn import LightGCNConfig
from training.running.loop import TrainingConfig, train_model

KINDS = LossConfig.kinds()
SIMILARITIES = [
    (name, similarity)
    for name, kind in KINDS.items()
    for similarity in ("cosine", "inner_product")
    if similarity == "cosine" or "enum" in kind.model_json_schema()["properties"]["similarity"]
]


@pytest.fixture(params=SIMILARITIES, ids="-".join)
def config(request) -> LossConfig:
    name, similarity = request.param
    return LossConfig.of(name, {"similarity": similarity})


def value(config: LossConfig, users, items, batch, world) -> torch.Tensor:
    loss = config.build(world)
    loss.refresh(1, users.detach(), items.detach())
    return loss(users, items, batch)


def test_the_gradient_is_finite_and_reaches_users_and_items(config):
    here = given()
    users, items = here.users.clone().requires_grad_(), here.items.clone().requires_grad_()

    value(config, users, items, here.batch, here.world).backward()

    for vectors in (users, items):
        assert vectors.grad is not None
        assert torch.isfinite(vectors.grad).all()
        assert vectors.grad.any()


def test_it_falls_when_positives_are_pulled(config):
    """Each user moves a little toward the mean of the positives of the batch."""
    here = given()
    users, items = 0.1 * here.users, 0.1 * here.items
    toward = torch.zeros_like(users).index_add_(
        0, here.batch.user_index, functional.normalize(items[here.batch.item_index], dim=1)
    )
    pulled = users + 0.02 * toward

    before, after = (value(config, each, items, here.batch, here.world) for each in (users, pulled))

    assert after < before


def test_the_order_of_the_rows_does_not_matter(config):
    here = given()
    order = torch.tensor([4, 2, 0, 5, 1, 3])
    names = ("user_index", "item_index", "weight", "value")
    shuffled = replace(here.batch, **{name: getattr(here.batch, name)[order] for name in names})

    first, second = (
        value(config, here.users, here.items, batch, here.world) for batch in (here.batch, shuffled)
    )

    torch.testing.assert_close(first, second)


def test_the_vectors_of_the_batch_alone_give_the_same_unless_it_needs_every_item(config):
    here = given()
    loss = config.build(here.world)
    loss.refresh(1, here.users, here.items)
    compact = here.batch.compact()
    of_batch = here.users[compact.user_rows], here.items[compact.item_rows]

    whole = loss(here.users, here.items, here.batch)

    if loss.every_item:
        with pytest.raises((IndexError, AssertionError)):
            torch.testing.assert_close(loss(*of_batch, compact), whole)
    else:
        torch.testing.assert_close(loss(*of_batch, compact), whole)


def test_it_learns_the_checkerboard(config, checkerboard):
    """Who saw half of their items ranks the other half above the other kind; a start does not."""
    known = checkerboard * (np.random.default_rng(1).random(checkerboard.shape) < 0.5)
    world = world_of(sp.csr_matrix(known.astype(np.float32)))
    model = LightGCNConfig(dimensions=16, hops=0).build(world, seed=1)
    few = config.model_copy(update={"negatives": min(config.negatives, 40)})
    wanted, others = (checkerboard > known), checkerboard == 0
    before = ranked_right(model, wanted, others)

    train_model(model, world, TrainingConfig(loss=few, max_epochs=20, batch_size=128), seed=1)

    assert before < 0.6
    # .79 with SL@K, whose weights are small at first, to 1 with BSL.
    assert ranked_right(model, wanted, others) > 0.75


def ranked_right(model, wanted: np.ndarray, others: np.ndarray) -> float:
    """The share of pairs of a wanted and another item of a user that stand the right way."""
    with torch.no_grad():
        users, items = (functional.normalize(vectors, dim=1).numpy() for vectors in model())
    scores = users @ items.T
    right = [
        (row[want][:, None] > row[other]).mean()
        for row, want, other in zip(scores, wanted, others, strict=True)
    ]
    return float(np.mean(right))


@pytest.mark.parametrize("name", KINDS)
def test_one_item_and_one_user_are_survived(name):
    """All items of the batch are the same: nothing to learn, nothing that breaks."""
    world = world_of(sp.csr_matrix(np.ones((1, 1), np.float32)))
    model = LightGCNConfig(dimensions=4).build(world, seed=1)

    trained = train_model(
        model, world, TrainingConfig(loss=LossConfig.of(name), max_epochs=3), seed=1
    )

    assert trained.epochs == 3
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
