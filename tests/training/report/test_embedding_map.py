"""Items that are alike are near each other on the plane; the same seed draws the same plane."""

import numpy as np
import pytest

from training.report.embedding_map import FEWEST_FOR_TSNE, plane

SEED = 3


def clusters(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors [count, 8] about three far centres, and the centre of each."""
    generator = np.random.default_rng(SEED)
    of = np.arange(count) % 3
    centres = np.eye(3, 8) * 5
    return (centres[of] + generator.normal(size=(count, 8)) * 0.2).astype(np.float32), of


@pytest.mark.parametrize("count", [30, FEWEST_FOR_TSNE + 20])
def test_items_that_are_alike_are_near(count):
    vectors, of = clusters(count)

    found = plane(vectors, SEED, cosine=True)

    gaps = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    assert (of[gaps.argmin(axis=1)] == of).all()
    assert ("t-SNE" in found.words) == (count >= FEWEST_FOR_TSNE)


def test_many_items_are_sampled_by_the_seed_and_the_plane_is_repeated():
    vectors, _ = clusters(300)

    once, again = (plane(vectors, SEED, cosine=False, most=150) for _ in range(2))
    other = plane(vectors, SEED + 1, cosine=False, most=150)

    assert len(once.rows) == 150 == len(set(once.rows))
    assert np.array_equal(once.rows, again.rows) and np.array_equal(once.places, again.places)
    assert not np.array_equal(once.rows, other.rows)
    assert once.words.startswith("150 of 300 items, drawn with seed 3")


def test_only_directions_count_for_a_cosine():
    vectors, _ = clusters(12)
    stretched = vectors * np.arange(1, 13)[:, None]

    assert np.allclose(
        plane(vectors, SEED, cosine=True).places,
        plane(stretched, SEED, cosine=True).places,
        atol=1e-6,
    )
    assert not np.allclose(
        plane(vectors, SEED, cosine=False).places, plane(stretched, SEED, cosine=False).places
    )


@pytest.mark.parametrize("shape", [(0, 4), (1, 4), (2, 1), (FEWEST_FOR_TSNE, 1)])
def test_few_items_and_few_dimensions_have_places(shape):
    found = plane(np.random.default_rng(SEED).normal(size=shape), SEED, cosine=False)

    assert found.places.shape == (shape[0], 2)
    assert np.isfinite(found.places).all()


def test_items_that_are_all_the_same_are_in_one_place():
    found = plane(np.ones((FEWEST_FOR_TSNE, 4)), SEED, cosine=True)

    assert np.ptp(found.places, axis=0) == pytest.approx(0, abs=1e-6)
