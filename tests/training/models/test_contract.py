"""The contract notices what it is there to notice: models with one thing wrong each."""

from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from tests.training.models.contract import ModelContract
from tests.training.worlds import world_of
from training.embeddings import EmbeddingConfig, EmbeddingModel
from training.model import Vectors
from training.propagation import Product
from training.running.loop import TrainingConfig


class OneHop(EmbeddingModel):
    """Right: everybody is their own vector and the mean of their neighbours'."""

    def __init__(self, config, world, *, seed, device="cpu"):
        super().__init__(config, world, seed=seed, device=device)
        degrees = [np.asarray(world.graph.sum(axis=axis)).ravel() for axis in (1, 0)]
        of_users, of_items = (sp.diags(self.scale(degree)) for degree in degrees)
        self.to_users = Product(sp.csr_matrix(of_users @ world.graph))
        self.to_items = Product(sp.csr_matrix(of_items @ world.graph.T))

    def scale(self, degree: np.ndarray) -> np.ndarray:
        return 1 / np.maximum(degree, 1e-9)

    def forward(self):
        users, items = self.hop_zero()
        return users + self.to_users @ items, items + self.to_items @ users


class OneDirection(OneHop):
    """Items never hear of users."""

    def forward(self):
        users, items = self.hop_zero()
        return users + self.to_users @ items, items


class NoDirection(OneHop):
    """The graph is built and never asked."""

    def forward(self):
        return self.hop_zero()


class Unscaled(OneHop):
    """Sums where the formula says means."""

    def scale(self, degree):
        return np.ones(len(degree))


class Undefined(OneHop):
    """Who has no neighbours is divided by their number."""

    def export(self, *, cosine=True):
        whole = super().export(cosine=cosine)
        whole.residuals[self.world.graph.getnnz(axis=1) == 0] = np.nan
        return whole


class Unseeded(OneHop):
    """Draws from whatever torch's generator has come to."""

    def drawn(self, rows):
        return torch.randn(rows, 8)


class Deaf(OneHop):
    """The same seed whatever it is told."""

    def __init__(self, config, world, *, seed, device="cpu"):
        super().__init__(config, world, seed=7, device=device)


class Restless(OneHop):
    """Noise that evaluation does not switch off."""

    def forward(self):
        users, items = super().forward()
        return users * torch.rand(len(users), 1), items


class Fixed(OneHop):
    """Whatever is learned, its vectors stay where they began."""

    def forward(self):
        users, items = super().forward()
        first = torch.Generator().manual_seed(1)
        return tuple(half * 0 + torch.randn(half.shape, generator=first) for half in (users, items))


class Impersonal(OneHop):
    """Exports event vectors and forgets what they leave over."""

    def export(self, *, cosine=True):
        whole = super().export(cosine=cosine)
        return Vectors(whole.item_vectors, whole.event_vectors, None)


class Shuffled(OneHop):
    """The rows of a batch in another order than they were asked for."""

    def rows(self, user_rows, item_rows):
        return super().rows(user_rows.sort().values, item_rows)


class OneHopConfig(EmbeddingConfig):
    """Which of the above; it is in no room, so nobody else finds it."""

    name: ClassVar[str] = "one_hop"

    kind: str = "OneHop"

    def body(self, world, *, seed, device="cpu"):
        return globals()[self.kind](self, world, seed=seed, device=device)


def means(weights, world, config):
    users, items = weights["user_embedding"], weights["item_embedding"]
    if world.text is not None:
        items = items + world.text @ weights["text_projection"]
    graph = world.graph.toarray().astype(float)
    return (
        users + graph / graph.sum(axis=1, keepdims=True) @ items,
        items + (graph / graph.sum(axis=0)).T @ users,
    )


class TestOneHop(ModelContract):
    config = OneHopConfig()
    dense = staticmethod(means)


def contract_of(kind: type[OneHop]) -> ModelContract:
    """The same contract on a broken model, ML-100K in one step."""
    contract = TestOneHop()
    settings = {
        "config": OneHopConfig(kind=kind.__name__, dimensions=8),
        "short": TrainingConfig(max_epochs=1, batch_size=100_000),
    }
    for name, value in settings.items():
        setattr(contract, name, value)
    return contract


@pytest.mark.parametrize("kind", [OneDirection, NoDirection])
def test_a_graph_that_is_not_walked_both_ways_is_noticed(kind):
    with pytest.raises(AssertionError, match="moves and some"):
        contract_of(kind).test_a_node_that_moves_moves_its_neighbours()


def test_a_model_said_to_have_no_graph_that_has_one_is_noticed():
    contract = contract_of(OneHop)
    contract.propagates = False

    with pytest.raises(AssertionError):
        contract.test_a_node_that_moves_moves_its_neighbours()


def test_another_formula_is_noticed(six_nodes):
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        contract_of(Unscaled).test_agrees_with_the_dense_formula_on_six_nodes(six_nodes, None)


@pytest.mark.parametrize("kind", [Unseeded, Deaf])
def test_a_seed_that_is_not_kept_is_noticed(kind, checkerboard):
    with pytest.raises(AssertionError):
        contract_of(kind).test_the_same_seed_gives_the_same_weights(checkerboard)


def test_noise_in_evaluation_is_noticed(checkerboard):
    with pytest.raises(AssertionError):
        contract_of(Restless).test_a_step_that_learns_nothing_leaves_no_trace(checkerboard)


def test_a_model_that_does_not_learn_is_noticed(checkerboard, ml100k):
    with pytest.raises(AssertionError):
        contract_of(Fixed).test_learns_the_checkerboard_from_three_quarters_of_it(checkerboard)
    with pytest.raises(AssertionError):
        contract_of(Fixed).test_is_ahead_of_popularity_on_real_data(ml100k)


def test_a_user_without_edges_who_has_no_vector_is_noticed():
    with pytest.raises(AssertionError):
        contract_of(Undefined).test_survives_users_and_items_without_edges(world_of)


@pytest.mark.parametrize("cosine", [True, False], ids=["cosine", "inner"])
def test_an_export_that_scores_otherwise_is_noticed(six_nodes, cosine):
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        contract_of(Impersonal).test_the_exported_vectors_score_as_the_model(
            six_nodes, cosine, None
        )


def test_rows_of_others_are_noticed(six_nodes):
    with pytest.raises(AssertionError):
        contract_of(Shuffled).test_the_rows_of_a_batch_are_those_of_the_whole(six_nodes, None)
