"""What a cosine index holds gives the score back; what it would miss is sought beside it."""

import numpy as np
import pytest

from api.serving.index_space import Longest, indexed_vectors, query_vector

SEED = 3


def lengthy() -> np.ndarray:
    """500 vectors whose lengths are log-normal."""
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    return rng.normal(size=(500, 8)) * rng.lognormal(0, 0.8, (500, 1))


def test_a_capped_and_extended_index_gives_back_the_exact_inner_product():
    vectors, user = lengthy(), np.random.default_rng(SEED).normal(size=8)

    stored, factors = indexed_vectors(vectors, "inner_product")

    asked = np.array(query_vector(user, "inner_product"))
    cosine = stored @ asked / np.linalg.norm(stored, axis=1) / np.linalg.norm(asked)
    score = (1 + cosine) / 2
    assert (2 * score - 1) * np.linalg.norm(user) * factors == pytest.approx(vectors @ user)


def test_the_longest_are_what_the_index_holds_capped_and_come_by_their_whole_product():
    vectors, user = lengthy(), np.random.default_rng(SEED).normal(size=8)

    longest = Longest.of(vectors, "inner_product")

    stored, _ = indexed_vectors(vectors, "inner_product")
    capped = np.linalg.norm(vectors, axis=1) > np.linalg.norm(stored, axis=1) + 1e-9
    assert len(longest.rows) == 25
    assert longest.rows.tolist() == np.flatnonzero(capped).tolist()
    ranked = sorted(longest.rows.tolist(), key=lambda row: -vectors[row] @ user)
    assert longest.nearest(user, 5).tolist() == ranked[:5]
    assert longest.nearest(user, 5, {ranked[0], ranked[3]}).tolist() == [
        row for row in ranked[:7] if row not in (ranked[0], ranked[3])
    ]
    assert longest.nearest(user, 100).tolist() == ranked


@pytest.mark.parametrize(
    ("vectors", "similarity"),
    [
        (lengthy(), "cosine"),
        (np.eye(4), "inner_product"),
        (np.zeros((0, 4)), "inner_product"),
    ],
)
def test_where_no_length_is_lost_nothing_is_sought_beside_the_index(vectors, similarity):
    longest = Longest.of(vectors, similarity)

    assert not len(longest.rows)
    assert not len(longest.nearest(np.ones(vectors.shape[1]), 10))
