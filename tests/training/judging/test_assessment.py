"""Assessment: one pass per model gives what the parts give apart, and what cannot be is refused."""

import numpy as np
import pytest
import scipy.sparse as sp

from training.data import Interactions, interactions
from training.errors import SettingError
from training.judging.assessment import COLD, Assessment, Features
from training.judging.baselines import popularity_scores
from training.judging.evaluation import rank
from training.judging.groups import banded_property
from training.judging.metrics import coverage, exposure, gini
from training.splits import Split, split
from training.world import Relation, World

USERS, ITEMS = 60, 30


@pytest.fixture(scope="module")
def data() -> Interactions:
    """Users of two tastes and a few popular items, with times."""
    generator = np.random.default_rng(4)
    users = np.repeat(np.arange(USERS), 9)
    items = np.minimum(generator.geometric(0.12, len(users)) * 2 + users % 2, ITEMS - 1)
    return interactions(users, items, USERS, ITEMS, at=generator.permutation(len(users)))


@pytest.fixture(scope="module")
def parts(data) -> Split:
    return split(data, "latest", 0.25, 1)


def noisy(data: Interactions, noise: float):
    """Scores that know the answer as well as `noise` lets them."""
    answer = data.history().toarray()
    drawn = np.random.default_rng(1).normal(0, noise, answer.shape)
    return lambda users: (answer + drawn)[users].astype(np.float32)


@pytest.fixture(scope="module")
def judgement(data, parts):
    models = {
        "good": noisy(data, 0.3),
        "fair": noisy(data, 0.6),
        "popularity": popularity_scores(parts.train.popularity()),
    }
    return Assessment(World(data), parts, seed=1, cutoffs=(10, 3)).judge(models)


def test_figures_are_those_of_a_ranking_at_each_cutoff_alone(data, parts, judgement):
    known, wanted = parts.train.history(), parts.test.history()

    assert judgement.cutoffs == [3, 10]
    for k in judgement.cutoffs:
        alone = rank(noisy(data, 0.3), known, wanted, k)
        found = judgement.model("good").metrics
        for name, value in alone.metrics().items():
            assert found[name].value == pytest.approx(value), name
        counts = exposure(alone.items, ITEMS)
        assert found[f"coverage@{k}"].value == coverage(counts)
        assert found[f"gini@{k}"].value == pytest.approx(gini(counts))
    assert judgement.users == len(np.unique(parts.test.user_index))


def test_every_figure_lies_in_its_interval(judgement):
    for model in judgement.models:
        for name, figure in (model.metrics | model.warm | model.cold).items():
            assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, (model.name, name)


def test_the_first_is_paired_with_every_other_and_its_sign_is_first_minus_second(judgement):
    found = {(p.second, p.metric): p for p in judgement.paired}

    assert {p.first for p in judgement.paired} == {"good"}
    assert set(found) == {
        (second, f"{name}@{k}")
        for second in ("fair", "popularity")
        for name in ("ndcg", "recall")
        for k in (3, 10)
    }
    difference = found["fair", "ndcg@10"]
    apart = [judgement.model(name).metrics["ndcg@10"].value for name in ("good", "fair")]
    assert difference.difference.value == pytest.approx(apart[0] - apart[1])
    assert difference.difference.low > 0
    assert difference.p < 0.01


def test_popularity_lists_what_is_popular_and_nothing_else(judgement):
    popular, good = (judgement.model(name).metrics for name in ("popularity", "good"))

    assert popular["popularity@3"].value > good["popularity@3"].value
    assert popular["novelty@3"].value < good["novelty@3"].value
    assert popular["coverage@3"].value < good["coverage@3"].value
    assert popular["gini@3"].value > good["gini@3"].value


def test_cold_and_warm_items_together_are_all_that_is_asked_for(data, parts, judgement):
    learned = np.bincount(parts.train.item_index, minlength=ITEMS)
    asked = parts.test.item_index
    ranking = rank(noisy(data, 0.3), parts.train.history(), parts.test.history(), 10)
    cold = ranking.among(learned < COLD, parts.test.history()[ranking.users])
    warm = ranking.among(learned >= COLD, parts.test.history()[ranking.users])

    assert cold.relevant.sum() == (learned[asked] < COLD).sum() > 0
    assert cold.relevant.sum() + warm.relevant.sum() == len(asked)
    assert cold.hits.sum() + warm.hits.sum() == ranking.hits.sum()
    model = judgement.model("good")
    assert model.cold["ndcg@10"].value == pytest.approx(cold.ndcg().mean())
    assert model.warm["ndcg@10"].value == pytest.approx(warm.ndcg().mean())
    assert "users.ndcg@10" in model.warm


def test_groups_by_activity_are_there_unasked_and_others_beside_them(data, parts):
    numbers = np.arange(ITEMS, dtype=float)
    asked = banded_property("item.number", "item", numbers)

    found = Assessment(World(data), parts, 1, (3,), (asked,)).judge({"good": noisy(data, 0.3)})

    groups = found.models[0].groups
    assert set(groups) == {"item.popularity", "user.activity", "item.number"}
    for name in ("item.popularity", "item.number"):
        assert sum(group["share@3"] for group in groups[name].values()) == pytest.approx(1)
        assert sum(group["test"] for group in groups[name].values()) == pytest.approx(1)
    assert sum(group["share"] for group in groups["user.activity"].values()) == pytest.approx(1)
    assert found.paired == []


def test_a_cutoff_beyond_the_catalogue_finds_everything_and_fails_at_nothing(data, parts):
    found = Assessment(World(data), parts, 1, (500,)).judge({"good": noisy(data, 0.3)})

    figures = found.models[0].metrics
    assert figures["recall@500"].value == 1
    assert figures["coverage@500"].value == 1
    assert figures["precision@500"].value < ITEMS / 500


@pytest.mark.parametrize("cutoffs", [(0,), (10, -1), ()])
def test_cutoffs_below_one_are_refused(data, parts, cutoffs):
    with pytest.raises(SettingError, match="expected whole numbers of at least 1"):
        Assessment(World(data), parts, 1, cutoffs)


def test_items_are_compared_by_text_then_attributes_then_people(data):
    text = np.ones((ITEMS, 2), np.float32)
    edges = np.array([[0, 1, 2], [0, 0, 1]], np.int32)
    genres = Relation("HAS_GENRE", "item", "Genre", edges)

    of_text = Features.of(World(data, text))
    of_nodes = Features.of(World(data, relations=(genres,), node_counts={"Genre": 2}))
    of_people = Features.of(World(data))

    assert isinstance(of_text.rows, np.ndarray)
    np.testing.assert_allclose(np.linalg.norm(of_text.rows, axis=1), 1, rtol=1e-6)
    assert sp.issparse(of_nodes.rows) and of_nodes.rows.shape == (ITEMS, 2)
    assert of_people.rows.shape == (ITEMS, USERS)
    words = [features.words for features in (of_text, of_nodes, of_people)]
    assert words == ["text vectors", "attributes", "the people who met them"]


def test_figures_of_single_users_are_kept_in_an_order_that_seeds_do_not_change(data, parts):
    def each(noise: float, seed: int):
        found = Assessment(World(data), parts, seed, cutoffs=(10,))
        return found.judge({"model": noisy(data, noise)})

    one, other = each(0.3, 1), each(0.6, 2)

    assert one.tested == other.tested != ""
    assert set(one.each) == {"ndcg@10", "recall@10"}
    assert len(one.each["ndcg@10"]) == one.users == len(other.each["ndcg@10"])
    assert np.mean(one.each["ndcg@10"]) == pytest.approx(
        one.model("model").metrics["ndcg@10"].value, abs=1e-5
    )
    alone = rank(noisy(data, 0.6), parts.train.history(), parts.test.history(), 10)
    assert np.allclose(other.each["ndcg@10"], alone.ndcg(), atol=1e-5)


def test_another_test_part_has_another_digest(data, parts):
    given = (Assessment(World(data), split(data, "latest", share, 1), 1) for share in (0.25, 0.5))

    assert len({assessment.digest for assessment in given}) == 2


def test_of_very_many_users_the_same_ones_are_kept(data, parts, monkeypatch):
    monkeypatch.setattr("training.judging.assessment.KEPT_USERS", 10)
    kept = [
        Assessment(World(data), parts, seed, cutoffs=(10,)).judge({"m": noisy(data, 0.3)}).each
        for seed in (1, 2)
    ]

    assert kept[0] == kept[1]
    assert len(kept[0]["ndcg@10"]) == 10
