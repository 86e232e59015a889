"""Settings are searched on validation only, and what is found is trained as it was found."""

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from tests.training.worlds import world_of
from training.closed_forms.ease import EaseConfig
from training.errors import EmptySplitError
from training.search.choice import RECIPE, Choice
from training.search.study import Study
from training.search.tuning import ClosedFormSubject, ModelSubject, tune
from training.world import World

QUICK = ("training.max_epochs=4", "training.batch_size=256")


@pytest.fixture
def world() -> World:
    """40 users of two tastes, 30 items."""
    drawn = np.random.default_rng(3).random((40, 30)) < 0.5
    even = np.arange(40)[:, None] % 2 == np.arange(30)[None, :] % 2
    return world_of(sp.csr_matrix((drawn & even).astype(np.float32)))


def search(world: World, directory: Path, choice: Choice, most: int = 3):
    return tune(
        world, choice.chosen(), directory, data="checkerboard", minutes=10, seed=1, most=most
    )


def test_what_is_found_is_a_recipe_with_everything_that_was_tried(world, tmp_path):
    found = search(world, tmp_path, Choice("lightgcn", "bsl", ("model.hops=1", *QUICK)))

    chosen = Choice(recipe=tmp_path / RECIPE).chosen()
    assert (chosen.model.described(), chosen.training.described()) == (found.model, found.training)
    assert found.model["hops"] == 1
    assert found.tuned["trials"] == len(found.trials) == 3
    best = max(found.trials, key=lambda row: row["ndcg"] or 0)
    assert found.tuned["ndcg"] == best["ndcg"] > 0
    assert found.training["learning_rate"] == best["training.learning_rate"]
    assert {row["model"] for row in chosen.recipe().trials} == {"lightgcn"}


def test_the_first_trial_is_the_settings_as_they_are(world, tmp_path):
    choice = Choice("lightgcn", "bsl", QUICK)

    found = search(world, tmp_path, choice, most=1)

    assert found.model == choice.chosen().model.described()
    assert found.training == choice.chosen().training.described()


def test_the_search_never_sees_what_is_held_out(world):
    subject = ModelSubject.of(world, _space(), "checkerboard", seed=1)
    learned, held = subject.world.graph, subject.validation.held

    assert held.nnz > 0
    assert not learned.multiply(held).nnz
    assert (learned + held != world.graph).nnz == 0


def test_a_search_killed_between_trials_has_left_its_best(world, tmp_path):
    search(world, tmp_path, Choice(settings=QUICK), most=1)
    first = json.loads((tmp_path / RECIPE).read_text())

    again = search(world, tmp_path, Choice(settings=QUICK), most=2)

    assert again.trials[:1] == first["trials"]
    assert again.tuned["ndcg"] >= first["tuned"]["ndcg"]


def test_closed_forms_are_searched_as_models_are(world, tmp_path):
    subject = ClosedFormSubject(
        ModelSubject.of(world, _space(), "checkerboard", 1).validation, EaseConfig(), "checkerboard"
    )

    with Study.open(tmp_path, subject, seed=1) as study:
        for _ in study.run(10, most=3):
            pass
        rows = study.rows()

    assert rows[0]["reg"] == 500
    assert len({row["reg"] for row in rows}) == 3
    assert all(row["ndcg"] > 0 for row in rows)


def test_where_nobody_has_events_enough_there_is_nothing_to_validate_on(tmp_path):
    with pytest.raises(EmptySplitError, match="nobody has events enough"):
        search(world_of(sp.csr_matrix(np.eye(4, dtype=np.float32))), tmp_path, Choice())


def _space():
    from training.search.search_space import SearchSpace

    chosen = Choice(settings=QUICK).chosen()
    return SearchSpace(chosen.model, chosen.training, chosen.fixed)
