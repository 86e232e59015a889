"""The space of item vectors on a plane: t-SNE, or principal components where items are few.

It knows vectors; neither what the items are nor how they are drawn.
"""

from dataclasses import dataclass

import numpy as np

MOST_ITEMS = 2_000
"""Items on the map: t-SNE of so many takes 5 s on one core."""
PERPLEXITY = 30.0
FEWEST_FOR_TSNE = 100
"""With fewer items t-SNE shows clusters where there are none."""
ITERATIONS = 500


@dataclass(frozen=True)
class Plane:
    """Where items are: `rows` [n] of the vectors, `places` [n, 2], and in words how."""

    rows: np.ndarray
    places: np.ndarray
    words: str


def plane(vectors: np.ndarray, seed: int, *, cosine: bool, most: int = MOST_ITEMS) -> Plane:
    """Put the items of `vectors` [I, d] on a plane; of more than `most` a seeded sample.

    cosine: whether only directions count. t-SNE (van der Maaten and Hinton 2008) starts from the
    principal components, so that the large distances mean something as well.
    """
    count = len(vectors)
    rows = np.arange(count)
    sample = "all items"
    if count > most:
        rows = np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
        sample = f"{most:,} of {count:,} items, drawn with seed {seed}"
    drawn = np.asarray(vectors[rows], np.float64)
    if cosine:
        length = np.linalg.norm(drawn, axis=1, keepdims=True)
        drawn = np.divide(drawn, length, where=length > 0, out=np.zeros_like(drawn))
    flat = _principal(drawn)
    spread = flat.std() if len(rows) >= FEWEST_FOR_TSNE else 0.0
    if not spread:
        return Plane(rows, flat, f"{sample}; the two largest principal components")
    # Heavy: loaded for a page that needs it only.
    from sklearn.manifold import TSNE

    start = (flat / spread * 1e-4).astype(np.float32)
    method = TSNE(
        2, perplexity=PERPLEXITY, init=start, max_iter=ITERATIONS, random_state=seed, n_jobs=1
    )
    places = method.fit_transform(drawn.astype(np.float32))
    return Plane(rows, places, f"{sample}; t-SNE of perplexity {PERPLEXITY:g}")


def _principal(vectors: np.ndarray) -> np.ndarray:
    """[n, 2] first principal components, zeros where there are fewer; of a fixed sign."""
    places = np.zeros((len(vectors), 2))
    if not len(vectors):
        return places
    left, lengths, right = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    for n in range(min(2, len(lengths))):
        sign = np.sign(right[n][np.abs(right[n]).argmax()]) or 1.0
        places[:, n] = left[:, n] * lengths[n] * sign
    return places
