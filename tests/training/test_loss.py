"""A loss of one's own is trained by the loop."""

import torch
from torch.nn import functional

from tests.training.worlds import world_of
from training.loop import TrainingConfig, train_model
from training.loss import Loss, LossConfig
from training.models.lightgcn import LightGCNConfig


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
        self.batches.append(batch)
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
    assert [len(batch.user_index) for batch in loss.batches] == [3, 2, 3, 2]
    assert all(batch.negatives.shape == (7,) for batch in loss.batches)
    assert not torch.equal(before, model.item_embedding)
