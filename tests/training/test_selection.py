import numpy as np
import pytest
import scipy.sparse as sp

from training.data import interactions
from training.scorer import Scorer
from training.selection import Validation, choose_closed_form
from training.splits import latest_split


def two_tastes(met: int) -> Validation:
    """Two tastes of 15 items each; everybody met as many of theirs, and a fifth is held out."""
    generator = np.random.default_rng(1)
    users = np.repeat(np.arange(80), met)
    items = np.concatenate([generator.permutation(15)[:met] + 15 * (u % 2) for u in range(80)])
    part, held = latest_split(interactions(users, items, 80, 30), 0.2, seed=1)
    return Validation.of(part, held, seed=1)


def scorer_of(vectors: np.ndarray) -> Scorer:
    nothing = sp.csr_matrix((30, 30), dtype=np.float32)
    return Scorer(vectors, vectors, nothing, 0.0)


def test_a_meaningless_graph_half_is_outvoted():
    validation = two_tastes(met=10)
    noise = np.random.default_rng(2).normal(size=(30, 8)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    before = validation.ndcg(scorer_of(noise), None)

    chosen, trials = choose_closed_form(validation, scorer_of(noise), None, (1, 10), (5, 20))

    blended = [row["ndcg"] for row in trials if "truncation" in row][-1]
    assert chosen.blend > 0.5
    assert blended > before + 0.2


@pytest.mark.parametrize("truncations", [(2, 20), (20, 25)])
def test_the_smallest_truncation_that_costs_nothing_is_taken(truncations):
    """Who met two of 15 items needs the other 13: 20 neighbours hold them, 2 do not."""
    validation = two_tastes(met=3)
    nothing = np.zeros((30, 8), np.float32)

    chosen, trials = choose_closed_form(validation, scorer_of(nothing), None, (10,), truncations)

    tried = [row["truncation"] for row in trials if "truncation" in row]
    assert chosen.truncation == tried[-1] == 20
    assert tried == [k for k in truncations if k <= 20]


def test_users_without_held_out_items_are_not_asked():
    part, held = latest_split(interactions(np.arange(5), np.arange(5), 5, 5), 0.1, seed=1)

    assert len(Validation.of(part, held, seed=1).users) == 0
