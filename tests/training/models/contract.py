"""What every model keeps to. A model's test inherits it and names the settings:

    class TestGCN(ModelContract):
        config = GCNConfig()

and beside them, where there is one, the formula that the model is.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch.nn import functional

from tests.training.worlds import full_world, world_of
from training.judging.evaluation import rank, scorer_scores, top_k
from training.model import Model, ModelConfig, unit
from training.running.loop import TrainingConfig, train_model
from training.scorer import Scorer
from training.search.recipe import RecipeConfig, fit
from training.world import World

Formula = Callable[[Mapping[str, np.ndarray], World, ModelConfig], tuple[np.ndarray, np.ndarray]]
"""Weights by name (float64), the world and the settings to the vectors of users and items."""

TEXT = np.random.default_rng(5).normal(size=(3, 6)).astype(np.float32)


def scorer_of(model: Model, *, cosine: bool = True) -> tuple[Scorer, np.ndarray | None]:
    """The model as it serves: the one score on its exported vectors, and the residuals."""
    vectors = model.export(cosine=cosine)
    count = len(vectors.item_vectors)
    nothing = sp.csr_matrix((count, count), dtype=np.float32)
    scorer = Scorer(vectors.item_vectors, vectors.event_vectors, nothing, 0.0, cosine=cosine)
    return scorer, vectors.residuals


@torch.no_grad()
def redrawn(model: Model, seed: int = 2) -> Model:
    """The model in evaluation, its weights drawn anew: large enough for a slip to be seen."""
    generator = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        weight.copy_(torch.randn(weight.shape, generator=generator) / 2)
    return model.eval()


@torch.no_grad()
def vectors_of(model: Model) -> np.ndarray:
    """Final vectors of users, then of items."""
    return torch.cat(model()).numpy().copy()


class ModelContract:
    """Inherited tests.

    config: the settings under test; dense: the model as a formula of plain arrays; training: of
    the checkerboard; short: of ML-100K; band: the nDCG@10 measured there; cosine: what it is
    scored by; propagates: whether a node's vector depends on its neighbours' at all.
    """

    config: ClassVar[ModelConfig]
    dense: ClassVar[Formula | None] = None
    training: ClassVar[TrainingConfig] = TrainingConfig(max_epochs=40, batch_size=64)
    short: ClassVar[TrainingConfig] = TrainingConfig(max_epochs=3)
    band: ClassVar[tuple[float, float]] = (0.0, 1.0)
    cosine: ClassVar[bool] = True
    propagates: ClassVar[bool] = True

    def build(self, world: World, seed: int = 1) -> Model:
        """The untrained model on the CPU, where the same seed gives the same weights."""
        return self.config.build(world, seed=seed, device="cpu")

    def trained(self, world: World, training: TrainingConfig, seed: int = 1) -> Model:
        """The model after its epochs."""
        model = self.build(world, seed)
        train_model(model, world, training, seed)
        return model

    def test_a_node_that_moves_moves_its_neighbours(self):
        """Both ways: edges in one direction only leave factors that never met the graph."""
        graph = sparse_graph()
        model = redrawn(self.build(world_of(graph)))
        moves = np.stack([self._moved_by(model, node, graph.shape) for node in range(13)])

        assert moves.any(axis=1).all(), "some node's own embedding reaches nothing"
        if not self.propagates:
            assert np.array_equal(moves, np.eye(13, dtype=bool))
            return
        met = graph.toarray() > 0
        assert moves[5:, :5].T[met].all(), "an item moves and some user who met it does not"
        assert moves[:5, 5:][met].all(), "a user moves and some item they met does not"

    @torch.no_grad()
    def _moved_by(self, model: Model, node: int, shape: tuple[int, int]) -> np.ndarray:
        """Which of the 13 nodes' vectors change with the node's embedding, in some direction."""
        users, items = shape
        first = {users: 0, items: users, users + items: 0}
        rows = [
            (table, node - first[len(table)])
            for table in model.parameters()
            if table.dim() > 1
            and len(table) in first
            and 0 <= node - first[len(table)] < len(table)
        ]
        before, generator = vectors_of(model), torch.Generator().manual_seed(node)
        moved = np.zeros(users + items, bool)
        for _ in range(4):
            kept = [table[row].clone() for table, row in rows]
            for table, row in rows:
                table[row] += torch.randn(table[row].shape, generator=generator)
            moved |= np.abs(vectors_of(model) - before).max(axis=1) > 1e-5
            for (table, row), values in zip(rows, kept, strict=True):
                table[row] = values
        return moved

    @pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
    def test_agrees_with_the_dense_formula_on_six_nodes(self, six_nodes, text):
        if self.dense is None:
            pytest.skip(f"{type(self).__name__} gives no formula")
        world = world_of(six_nodes, text)
        model = redrawn(self.build(world))
        weights = {
            name: weight.detach().numpy().astype(float) for name, weight in model.named_parameters()
        }

        expected = np.concatenate(self.dense(weights, world, self.config))

        scale = max(np.abs(expected).max(), 1)
        np.testing.assert_allclose(vectors_of(model) / scale, expected / scale, atol=1e-5)

    def test_the_same_seed_gives_the_same_weights(self, checkerboard):
        world = full_world(sp.csr_matrix(checkerboard))
        two_epochs = TrainingConfig(max_epochs=2, batch_size=200)

        first, again, other = (
            self.trained(world, two_epochs, seed).state_dict() for seed in (1, 1, 2)
        )

        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not all(torch.equal(first[name], other[name]) for name in first)
        # Another order of batches would do for that: the seed is the model's as well.
        begun, otherwise = (self.build(world, seed).state_dict() for seed in (1, 2))
        assert not all(torch.equal(begun[name], otherwise[name]) for name in begun)

    def test_a_step_that_learns_nothing_leaves_no_trace(self, checkerboard):
        """With learning rate 0 and a fixed batch, the second step's gradient is the first's."""
        world = full_world(sp.csr_matrix(checkerboard))
        model = redrawn(self.build(world))
        optimizer = torch.optim.AdamW(model.parameters(), lr=0)
        gradients = []
        for _ in range(2):
            optimizer.zero_grad()
            users, items = model()
            functional.cosine_similarity(users[:20], items[20:]).sum().backward()
            optimizer.step()
            gradients.append([w.grad.clone() for w in model.parameters() if w.grad is not None])

        assert any(gradient.any() for gradient in gradients[0])
        for first, second in zip(*gradients, strict=True):
            assert torch.equal(first, second)

    @pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
    def test_the_rows_of_a_batch_are_those_of_the_whole(self, six_nodes, text):
        """In evaluation; in training a model may draw some of the neighbours."""
        model = redrawn(self.build(world_of(six_nodes, text)))
        user_rows, item_rows = torch.tensor([2, 0]), torch.tensor([1, 2])
        users, items = model()

        rows = model.rows(user_rows, item_rows)

        torch.testing.assert_close(rows[0], users[user_rows])
        torch.testing.assert_close(rows[1], items[item_rows])

    def test_learns_the_checkerboard_from_three_quarters_of_it(self, checkerboard):
        kept = np.random.default_rng(1).random(checkerboard.shape) < 0.75
        graph = sp.csr_matrix(checkerboard * kept)
        scorer, residuals = scorer_of(
            self.trained(world_of(graph), self.training), cosine=self.cosine
        )

        first = top_k(scorer.scores(graph, residuals), graph, 1)

        assert all((row % 2 == user % 2).all() for user, row in enumerate(first))

    def test_is_ahead_of_popularity_on_real_data(self, ml100k):
        """MovieLens-100K by the protocol of benchmarks.ml100k, after a few epochs, one seed."""
        world, test = ml100k
        data = world.interactions
        popularity, known = data.popularity(), data.history()
        scorer, residuals = scorer_of(self.trained(world, self.short), cosine=self.cosine)

        scores = scorer_scores(scorer, known, residuals, popularity)
        ndcg = rank(scores, known, test.history(), 10).ndcg().mean()

        low, high = self.band
        assert max(low, POPULARITY_ON_ML100K) < ndcg < high

    def test_the_recipe_finds_its_settings_and_serves_it(self, checkerboard):
        short = TrainingConfig(max_epochs=2, batch_size=200)
        world = full_world(sp.csr_matrix(checkerboard))

        fitted = fit(world, RecipeConfig(model=self.config, training=short), seed=1)

        assert fitted.settings.model.name == self.config.name
        assert np.isfinite(fitted.scorer.scores(world.graph, fitted.residuals)).all()
        assert self.config.name in {trial["model"] for trial in fitted.settings.trials}

    @pytest.mark.parametrize("world_of", [world_of, full_world], ids=["bare", "full"])
    def test_survives_users_and_items_without_edges(self, world_of):
        world = world_of(sparse_graph())
        self._exports_finite_vectors(world)

    @pytest.mark.parametrize("shape", [(4, 1), (1, 1), (1, 4)])
    def test_survives_a_graph_of_one_item_or_one_user(self, shape):
        self._exports_finite_vectors(full_world(sp.csr_matrix(np.ones(shape, np.float32))))

    def _exports_finite_vectors(self, world: World) -> None:
        model = self.trained(world, TrainingConfig(max_epochs=2))
        for cosine in (True, False):
            scorer, residuals = scorer_of(model, cosine=cosine)
            scores = scorer.scores(world.graph, residuals)
            assert scores.shape == world.graph.shape
            assert np.isfinite(scores).all()

    @pytest.mark.parametrize("cosine", [True, False], ids=["cosine", "inner"])
    @pytest.mark.parametrize("text", [None, TEXT], ids=["ids", "text"])
    def test_the_exported_vectors_score_as_the_model(self, six_nodes, cosine, text):
        model = redrawn(self.build(world_of(six_nodes, text)))
        users, items = (half.detach().numpy() for half in model())
        expected = unit(users) @ unit(items).T if cosine else users @ items.T

        scorer, residuals = scorer_of(model, cosine=cosine)

        scale = max(np.abs(expected).max(), 1)
        found = scorer.scores(six_nodes, residuals)
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


POPULARITY_ON_ML100K = 0.2525
"""nDCG@10, above what the most popular items reach: tests/training/search/test_recipe.py."""


def sparse_graph() -> sp.csr_matrix:
    """Five users and eight items, the last of both without edges."""
    graph = np.random.default_rng(4).random((5, 8)).astype(np.float32)
    graph[graph < 0.5] = 0
    graph[4], graph[:, 7] = 0, 0
    return sp.csr_matrix(graph)
