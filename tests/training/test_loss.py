"""A loss of one's own is trained by the loop."""

import torch
from torch.nn import functional

from tests.training.worlds import world_of
from training.loss import Batch, Loss, LossConfig
from training.models.lightgcn import LightGCNConfig
from training.running.loop import TrainingConfig, train_model


class PushConfig(LossConfig):
    """Pulls positives together, pushes drawn items away."""

    name = "push"
    negatives: int = 7

    def build(self, world, device="cpu") -> "Push":
        return Push()


class Push(Loss):
    def __init__(self):
        self.epochs, self.batches = [], []

    def refresh(self, epoch, users, items):
        self.epochs.append((epoch, users.requires_grad))

    def __call__(self, users, items, batch):
        self.batches.append((batch, users.shape, items.shape))
        users = users[batch.user_index]
        pulled = functional.logsigmoid((users * items[batch.item_index]).sum(dim=1))
        return (functional.softplus(users @ items[batch.negatives].T).mean(dim=1) - pulled).mean()


def test_a_loss_of_ones_own_is_given_negatives_and_refreshed_each_epoch(six_nodes, monkeypatch):
    world, loss = world_of(six_nodes), Push()
    monkeypatch.setattr(PushConfig, "build", lambda *_: loss)
    model = LightGCNConfig(dimensions=4).build(world, seed=1)
    before = model.item_embedding.detach().clone()

    train_model(model, world, TrainingConfig(loss=PushConfig(), max_epochs=2, batch_size=3), seed=1)

    assert loss.epochs == [(1, False), (2, False)]
    assert [len(batch.user_index) for batch, *_ in loss.batches] == [3, 2, 3, 2]
    assert all(batch.negatives.shape == (7,) for batch, *_ in loss.batches)
    assert not torch.equal(before, model.item_embedding)


def test_a_loss_that_needs_every_item_is_given_everybody_and_learns_the_same(
    six_nodes, monkeypatch
):
    world, weights = world_of(six_nodes), []
    for every_item in (False, True):
        loss = Push()
        loss.every_item = every_item
        monkeypatch.setattr(PushConfig, "build", lambda *_, loss=loss: loss)
        model = LightGCNConfig(dimensions=4).build(world, seed=1)
        config = TrainingConfig(loss=PushConfig(negatives=1), max_epochs=3, batch_size=2)
        train_model(model, world, config, seed=1)
        weights.append(model.item_embedding.detach())
        whole = [(users, items) == ((3, 4), (3, 4)) for _, users, items in loss.batches]
        assert all(whole) if every_item else not all(whole)

    torch.testing.assert_close(*weights, atol=1e-5, rtol=0)


def test_a_compact_batch_names_the_same_users_and_items():
    users, items, negatives = (torch.tensor(x) for x in ([7, 2, 7], [5, 0, 9], [9, 3]))
    batch = Batch(users, items, torch.ones(3), torch.ones(3), negatives)

    compact = batch.compact()

    table = torch.arange(10) * 10
    assert torch.equal(compact.of_users(table)[compact.user_index], batch.of_users(table)[users])
    assert torch.equal(compact.of_items(table)[compact.item_index], batch.of_items(table)[items])
    assert torch.equal(compact.of_items(table)[compact.negatives], table[negatives])
    assert (compact.user_rows.tolist(), compact.item_rows.tolist()) == ([2, 7], [0, 3, 5, 9])
