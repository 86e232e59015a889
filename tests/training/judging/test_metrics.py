"""Metrics against torchmetrics and scikit-learn on random lists, and by hand where nobody else
has them."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torchmetrics.functional import retrieval

from training.judging.metrics import (
    accuracy,
    coverage,
    diversity,
    exposure,
    gini,
    listed_mean,
    self_information,
    unit_rows,
)

ITEMS = 40
CUTOFFS = (1, 3, 10, 40)


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Distinct scores [50, 40], above 0 (torchmetrics forgets others), and wanted bool [50, 40]."""
    generator = np.random.default_rng(8)
    wanted = generator.random((50, ITEMS)) < 0.15
    wanted[np.arange(50), generator.integers(0, ITEMS, 50)] = True
    return generator.permuted(np.tile(np.arange(1, ITEMS + 1), (50, 1)), axis=1) / ITEMS, wanted


def ranked_hits(scores: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.take_along_axis(wanted, np.argsort(-scores, axis=1), axis=1)


@pytest.mark.parametrize("k", CUTOFFS)
def test_they_agree_with_torchmetrics(drawn, k):
    scores, wanted = drawn

    ours = accuracy(ranked_hits(scores, wanted), wanted.sum(axis=1), k)

    theirs = {
        "precision": retrieval.retrieval_precision,
        "recall": retrieval.retrieval_recall,
        "ndcg": retrieval.retrieval_normalized_dcg,
        "mrr": retrieval.retrieval_reciprocal_rank,
        "hit_rate": retrieval.retrieval_hit_rate,
    }
    for name, function in theirs.items():
        expected = [
            float(function(torch.tensor(s), torch.tensor(w), top_k=k))
            for s, w in zip(scores, wanted, strict=True)
        ]
        np.testing.assert_allclose(ours[name], expected, atol=1e-6, err_msg=name)


def test_average_precision_of_the_whole_catalogue_agrees_with_torchmetrics(drawn):
    scores, wanted = drawn

    ours = accuracy(ranked_hits(scores, wanted), wanted.sum(axis=1), ITEMS)["map"]

    expected = [
        float(retrieval.retrieval_average_precision(torch.tensor(s), torch.tensor(w)))
        for s, w in zip(scores, wanted, strict=True)
    ]
    np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_average_precision_within_k_divides_by_what_could_be_found():
    hits = np.array([[False, True, True], [True, False, False]])

    found = accuracy(hits, np.array([5, 1]), 2)["map"]

    assert found.tolist() == [0.5 / 2, 1.0]


def test_f1_is_the_harmonic_mean_and_zero_without_a_hit():
    hits = np.array([[True, False], [False, False]])

    found = accuracy(hits, np.array([4, 4]), 2)["f1"]

    assert found.tolist() == [pytest.approx(2 * 0.5 * 0.25 / 0.75), 0.0]


def test_fewer_places_than_k_cannot_hold_more_hits():
    found = accuracy(np.array([[True, False]]), np.array([1]), 10)

    assert {name: values[0] for name, values in found.items()} == {
        **dict.fromkeys(("recall", "ndcg", "mrr", "map", "hit_rate"), 1.0),
        "precision": 0.1,
        "f1": pytest.approx(2 * 0.1 / 1.1),
    }


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix], ids=["dense", "sparse"])
def test_diversity_is_one_minus_the_mean_cosine_of_pairs(kind):
    features = np.random.default_rng(2).random((6, 4)).astype(np.float32)
    features[5] = 0
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-9)
    lists = np.array([[0, 1, 2], [3, 3, 5], [4, 5, -1], [2, -1, -1]])

    found = diversity(lists, unit_rows(kind(features)))

    def by_pairs(items: list[int]) -> float:
        cosines = [unit[a] @ unit[b] for n, a in enumerate(items) for b in items[n + 1 :]]
        return 1 - float(np.mean(cosines))

    np.testing.assert_allclose(
        found[:3], [by_pairs([0, 1, 2]), by_pairs([3, 3, 5]), by_pairs([4, 5])], atol=1e-6
    )
    assert np.isnan(found[3])


def test_what_is_listed_is_counted_each_user_as_often_as_he_was_drawn():
    lists = np.array([[0, 2], [2, -1]])

    assert exposure(lists, 4).tolist() == [1, 0, 2, 0]
    assert exposure(lists, 4, np.array([3.0, 1.0])).tolist() == [3, 0, 4, 0]
    assert coverage(exposure(lists, 4)) == 0.5


def test_gini_is_half_the_mean_difference_over_the_mean():
    counts = np.random.default_rng(5).integers(0, 30, 25)

    by_pairs = np.abs(counts[:, None] - counts).mean() / (2 * counts.mean())

    assert gini(counts) == pytest.approx(by_pairs)
    assert gini(np.full(9, 4)) == pytest.approx(0)
    assert gini(np.eye(1, 100)[0]) == pytest.approx(0.99)
    assert gini(np.zeros(3)) == 0


def test_rarer_items_inform_more_and_empty_places_count_for_nothing():
    bits = self_information(np.array([8, 1, 0, 4]), 8)

    assert bits.tolist() == [0, 3, 3, 1]
    assert listed_mean(np.array([[0, 1], [3, -1]]), bits).tolist() == [1.5, 1.0]
    assert np.isnan(listed_mean(np.array([[-1]]), bits)).all()
