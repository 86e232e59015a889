import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.worlds import world_of
from training.embeddings import EmbeddingConfig, EmbeddingModel

GRAPH = sp.csr_matrix(np.array([[1.0, 1.0, 0], [0, 0, 0]], np.float32))
TEXT = np.random.default_rng(5).normal(size=(3, 6)).astype(np.float32)


class Plain(EmbeddingModel):
    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.hop_zero()


class PlainConfig(EmbeddingConfig):
    name = "plain"

    def body(self, world, *, seed, device="cpu"):
        return Plain(self, world, seed=seed, device=device)


@pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
def test_nodes_without_edges_begin_with_their_text_alone(text):
    model = PlainConfig(dimensions=4).build(world_of(GRAPH, text), seed=1)

    users, items = model()

    expected = torch.zeros(4) if text is None else model.text[2] @ model.text_projection
    assert users[0].all()
    assert not users[1].any()
    torch.testing.assert_close(items[2], expected)
    assert not torch.equal(items[1], expected)


def test_the_deviation_is_what_was_asked_for():
    graph = sp.csr_matrix(np.ones((200, 1), np.float32))

    users, _ = PlainConfig(init_std=0.3).build(world_of(graph), seed=1)()

    assert users.std().item() == pytest.approx(0.3, rel=0.05)
