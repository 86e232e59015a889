"""The figures of removed reasons, on worlds where what they must be is known."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from api.serving.mapped import mapped
from api.serving.people import People
from api.serving.withheld import Withheld
from benchmarks.explanations import measure
from training.artifact import Artifact
from training.scorer import Scorer

USERS, ITEMS = 40, 30


@pytest.fixture
def artifact() -> Artifact:
    """Scores by item–item weights alone: what an event is worth is its weight."""
    draw = np.random.default_rng(3)
    history = sp.csr_matrix((draw.random((USERS, ITEMS)) < 0.3).astype(np.float32))
    weights = draw.random((ITEMS, ITEMS)).astype(np.float32)
    scorer = Scorer(
        item_vectors=np.zeros((ITEMS, 2), np.float32),
        event_vectors=np.zeros((ITEMS, 2), np.float32),
        similar=sp.csr_matrix(weights),
        blend=1.0,
    )
    model = type("Model", (), {"id": "made", "similarity": "cosine"})
    return Artifact(
        model=model,
        item_ids=[str(n) for n in range(ITEMS)],
        user_keys=[f"u{n}" for n in range(USERS)],
        scorer=scorer,
        residuals=None,
        history=history,
        seen=history.copy(),
        popularity=np.ones(ITEMS, np.float32),
    )


def lost_of(artifact: Artifact, users: int = USERS) -> np.ndarray:
    version = mapped(artifact, "", People(), Withheld(artifact.item_ids))
    return measure(version, users, seed=1)


def test_the_top_reason_costs_its_weight_and_no_other_costs_more(artifact):
    lost = lost_of(artifact)

    assert lost.shape == (USERS, 2)
    assert (lost[:, 0] >= lost[:, 1] - 1e-9).all()
    best = []
    for row in artifact.history:
        reached = (row @ artifact.scorer.similar).toarray()[0]
        reached[row.indices] = -np.inf
        best.append(artifact.scorer.similar.toarray()[row.indices, reached.argmax()].max())
    assert sorted(lost[:, 0]) == pytest.approx(sorted(best), abs=1e-5)


def test_where_nothing_speaks_for_an_item_there_is_no_reason_to_remove(artifact):
    against = replace(artifact.scorer, similar=-artifact.scorer.similar)

    assert not len(lost_of(replace(artifact, scorer=against)))


def test_no_more_people_are_asked_than_wanted(artifact):
    assert len(lost_of(artifact, users=7)) == 7
