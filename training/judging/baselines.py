"""The baselines that every model is printed beside."""

import numpy as np
import scipy.sparse as sp

from training.closed_form import ClosedFormConfig
from training.closed_forms.ease import MAX_ITEMS, EaseConfig
from training.closed_forms.gfcf import GfcfConfig
from training.closed_forms.itemknn import ItemknnConfig
from training.judging.evaluation import Scores
from training.world import World


def baselines(
    world: World,
    history: sp.csr_matrix | None = None,
    forms: tuple[ClosedFormConfig, ...] | None = None,
) -> dict[str, Scores]:
    """Scores by name: popularity and each of `forms`, fitted to `world`, nothing truncated.

    history: [U, I] what each user is known by, `world`'s own unless given; forms: those of
    `default_forms` unless given.
    """
    known = world.graph if history is None else history
    popularity = world.interactions.popularity()
    found = {"popularity": popularity_scores(popularity)}
    for form in forms or default_forms(world.graph.shape[1]):
        found[form.name] = closed_form_scores(form, world.graph, known, popularity)
    return found


def default_forms(item_count: int) -> tuple[ClosedFormConfig, ...]:
    """ItemKNN, and EASE or beyond its MAX_ITEMS what stands for it there, GF-CF."""
    return ItemknnConfig(), EaseConfig() if item_count <= MAX_ITEMS else GfcfConfig()


def popularity_scores(popularity: np.ndarray) -> Scores:
    """The same `popularity` [I] for everybody."""
    return lambda users: np.tile(popularity.astype(np.float32), (len(users), 1))


def closed_form_scores(
    form: ClosedFormConfig, graph: sp.csr_matrix, history: sp.csr_matrix, popularity: np.ndarray
) -> Scores:
    """`form` fitted to `graph` [U, I] and not truncated, of the rows of `history` [U, I]; by
    `popularity` [I] where there is none, as served."""
    weights, known = form.fit(graph), np.diff(history.indptr) > 0

    def scores(users: np.ndarray) -> np.ndarray:
        rows = weights.scores(history[users])
        rows[~known[users]] = popularity
        return rows

    return scores
