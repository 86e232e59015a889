"""What ranked lists are worth, each metric for each user; sources in docs/evaluation.md.

It knows lists of item rows and hits as arrays; neither scores nor models. -1 stands for a place of
a list that nothing could fill.
"""

import numpy as np
import scipy.sparse as sp

ACCURACY = ("precision", "recall", "f1", "ndcg", "mrr", "map", "hit_rate")
"""What `accuracy` gives."""


def accuracy(hits: np.ndarray, relevant: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """Metrics [T] of the first `k` places of `hits` bool [T, K], by name.

    relevant: [T] test items of each user, at least one. Recall divides by all of them, precision by
    k; F1 is their harmonic mean; NDCG has binary gains, log2 discount and the ideal of
    min(k, relevant); MRR is of the first hit; MAP divides by min(k, relevant).
    """
    first = hits[:, :k]
    place = np.arange(1, first.shape[1] + 1)
    found = first.sum(axis=1)
    precision, recall = found / k, found / relevant
    both = precision + recall
    precision_at_hits = first * np.cumsum(first, axis=1) / place
    return {
        "precision": precision,
        "recall": recall,
        "f1": np.divide(2 * precision * recall, both, where=both > 0, out=np.zeros(len(both))),
        "ndcg": ndcg(hits, relevant, k),
        "mrr": (first / place).max(axis=1),
        "map": precision_at_hits.sum(axis=1) / np.minimum(relevant, k),
        "hit_rate": (found > 0).astype(float),
    }


def ndcg(hits: np.ndarray, relevant: np.ndarray, k: int) -> np.ndarray:
    """NDCG [T] at `k`, as in `accuracy` (Järvelin and Kekäläinen 2002)."""
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)[np.minimum(relevant, k) - 1]
    return hits[:, :k] @ discount[: hits.shape[1]] / ideal


def listed_mean(lists: np.ndarray, values: np.ndarray) -> np.ndarray:
    """[T] mean of `values` [I] over each list of `lists` [T, k]; NaN for an empty one."""
    filled = lists >= 0
    count = filled.sum(axis=1)
    total = np.where(filled, values[np.maximum(lists, 0)], 0).sum(axis=1)
    return np.divide(total, count, where=count > 0, out=np.full(len(lists), np.nan))


def self_information(users: np.ndarray, user_count: int) -> np.ndarray:
    """[I] bits of an item that `users` [I] of `user_count` have: -log2 of the share (Zhou 2010).

    An item that nobody has counts as if one person had it.
    """
    return -np.log2(np.maximum(users, 1) / max(user_count, 1))


def diversity(lists: np.ndarray, features: np.ndarray | sp.csr_matrix) -> np.ndarray:
    """[T] intra-list diversity: 1 - the mean cosine of the list's pairs (Ziegler 2005).

    features: [I, f], rows of unit length or zero; an item without features is like no other. NaN
    for lists of fewer than two.
    """
    filled = lists >= 0
    count = filled.sum(axis=1)
    rows = np.repeat(np.arange(len(lists)), count)
    shape = (len(lists), features.shape[0])
    chosen = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, lists[filled])), shape)
    # Σ over ordered pairs of v·w = |Σ v|² - Σ |v|².
    pairs = _squared(chosen @ features) - chosen @ _squared(features)
    places = count * (count - 1)
    cosine = np.divide(pairs, places, where=places > 0, out=np.full(len(lists), np.nan))
    return 1 - cosine


def exposure(lists: np.ndarray, item_count: int, weight: np.ndarray | None = None) -> np.ndarray:
    """[I] how often each item is listed, each user's list `weight` [T] times."""
    weights = None if weight is None else np.repeat(weight, lists.shape[1])
    return np.bincount(lists.ravel() + 1, weights, item_count + 1)[1:]


def coverage(counts: np.ndarray) -> float:
    """The share of the catalogue that is listed for anybody; `counts` [I] as of `exposure`."""
    return float((counts > 0).mean())


def gini(counts: np.ndarray) -> float:
    """Gini coefficient of `counts` [I]: 0 when all are listed as often, near 1 when one is."""
    total = counts.sum()
    if not total:
        return 0.0
    place = np.arange(1, len(counts) + 1)
    return float((2 * place - len(counts) - 1) @ np.sort(counts) / (len(counts) * total))


def unit_rows(features: np.ndarray | sp.csr_matrix) -> np.ndarray | sp.csr_matrix:
    """Rows of unit length, zero rows as they are."""
    length = np.sqrt(_squared(features))
    scale = np.divide(1, length, where=length > 0, out=np.zeros(len(length)))
    if isinstance(features, np.ndarray):
        return (features * scale[:, None]).astype(np.float32)
    return sp.csr_matrix(sp.diags(scale.astype(np.float32)) @ features)


def _squared(rows: np.ndarray | sp.csr_matrix) -> np.ndarray:
    if isinstance(rows, np.ndarray):
        return np.square(rows).sum(axis=1)
    return np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
