from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from training.scorer import Scorer


@pytest.fixture(params=[True, False], ids=["cosine", "inner_product"])
def scorer(request) -> Scorer:
    generator = np.random.default_rng(4)
    similar = sp.random(30, 30, 0.3, "csr", np.float32, random_state=generator)
    v, z = generator.normal(size=(2, 30, 8)).astype(np.float32)
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    return Scorer(v, z, similar, 0.7, cosine=request.param)


@pytest.fixture
def history() -> sp.csr_matrix:
    """One person: an ordinary event, one beyond the cap, a weak and a negative one."""
    weights = np.array([1.0, 3.0, 0.2, -0.5], np.float32)
    return sp.csr_matrix((weights, [2, 5, 11, 20], [0, 4]), (1, 30))


@pytest.mark.parametrize("residual", [None, np.linspace(-1, 1, 8, dtype=np.float32)])
def test_contributions_add_up_to_the_score(scorer, history, residual):
    candidates = np.array([0, 3, 29])
    residuals = None if residual is None else residual[None]

    near, walked, taste = scorer.contributions(history, residual, candidates)

    scores = scorer.scores(history, residuals, candidates)[0]
    np.testing.assert_allclose((near + walked).sum(axis=1) + taste, scores, atol=1e-6)
    weights = scorer.similar[history.indices][:, candidates].toarray()
    counted = scorer.blend * scorer.capped(history).data[:, None] * weights
    np.testing.assert_allclose(walked.T, counted, atol=1e-6)


def test_candidates_score_as_in_the_whole_catalogue(scorer, history):
    candidates = np.array([7, 1])

    whole = scorer.scores(history)[:, candidates]

    np.testing.assert_allclose(scorer.scores(history, None, candidates), whole, atol=1e-6)


def test_weights_beyond_the_cap_count_as_the_cap(scorer, history):
    bounded = history.copy()
    bounded.data[1] = 1.0

    np.testing.assert_array_equal(scorer.scores(history), scorer.scores(bounded))


def test_nobody_without_events_has_a_score(scorer):
    assert not scorer.scores(sp.csr_matrix((1, 30), dtype=np.float32)).any()


@pytest.mark.parametrize("residual", [None, np.linspace(-1, 1, 8, dtype=np.float32)])
@pytest.mark.parametrize("blend", [0.7, 0.0])
def test_one_person_folded_scores_as_in_a_batch(scorer, history, residual, blend):
    scorer = replace(scorer, blend=blend)
    residuals = None if residual is None else residual[None]
    every = np.arange(30)

    person = scorer.folded(history, residual)

    np.testing.assert_allclose(person.user, scorer.user_vectors(history, residuals)[0], atol=1e-6)
    scores = scorer.scores(history, residuals)[0]
    np.testing.assert_allclose(scorer.scores_of(person, every), scores, atol=1e-6)
    np.testing.assert_allclose(scorer.scores_of(person, every[[29, 3]]), scores[[29, 3]], atol=1e-6)
    reached = (scorer.capped(history) @ scorer.similar).toarray()[0]
    assert person.rows.tolist() == sorted(set(scorer.similar[history.indices].indices))
    np.testing.assert_allclose(person.reached, reached[person.rows], atol=1e-6)


def test_folded_without_events_is_the_residual_alone(scorer):
    nobody = sp.csr_matrix((1, 30), dtype=np.float32)
    residual = np.full(8, 0.5, np.float32)

    person = scorer.folded(nobody, residual)

    scores = scorer.scores_of(person, np.arange(30))
    np.testing.assert_allclose(scores, scorer.scores(nobody, residual[None])[0], atol=1e-6)
    assert not scorer.scores_of(scorer.folded(nobody, None), np.arange(30)).any()
