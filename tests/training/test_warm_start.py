from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from graphdb.snapshot import read_snapshot
from training.artifact import ArtifactError, read_artifact
from training.closed_forms.ease import EaseConfig
from training.errors import SettingError, UnknownNameError
from training.loop import TrainingConfig
from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCNConfig
from training.recipe import RecipeConfig, Settings
from training.selection import ItemHalf
from training.snapshots import snapshot_interactions
from training.train import train
from training.warm_start import Start, read_start, settings_of

QUICK = RecipeConfig(
    hops=(2,), temperature_ratios=(), others=(), training=TrainingConfig(max_epochs=4)
)
KEYS, IDS = [f"u{row}" for row in range(31)], [f"i{row}" for row in range(21)]


def events(users: int, items: int, first: int = 0) -> list[tuple]:
    """Users of two tastes, eight events each."""
    drawn = np.random.default_rng(first + 1)
    return [
        (user, int(item) * 2 + user % 2, 1.0, 100 * first + int(at))
        for user in range(first, users)
        for item, at in zip(drawn.integers(0, items // 2, 8), drawn.permutation(8), strict=True)
    ]


@pytest.fixture
def old(make_snapshot, tmp_path) -> Path:
    """An artifact of 30 users and 20 items."""
    train(make_snapshot(events(30, 20), 30, 20), tmp_path / "old", config=QUICK)
    return tmp_path / "old"


def weights(directory: Path) -> Mapping[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(directory / "weights.safetensors")


def test_rows_follow_their_users_and_items_and_new_ones_are_drawn(old):
    """The order is another now, the first user is gone and there is a new one."""
    keys, ids = [*reversed(KEYS[1:])], [*reversed(IDS)]
    start, _ = read_start(old, keys, ids)
    model = nn.ParameterDict(
        {
            "user_embedding": torch.full((30, 64), 5.0),
            "item_embedding": torch.full((21, 64), 5.0),
            "unknown": torch.full((3,), 5.0),
        }
    )

    start.load(model)

    before = weights(old)
    users, items = (model[name].detach().numpy() for name in ("user_embedding", "item_embedding"))
    assert np.array_equal(users[1:], before["user_embedding"][:0:-1])
    assert np.array_equal(items[1:], before["item_embedding"][::-1])
    assert (users[0] == 5).all()
    assert (items[0] == 5).all()
    assert (model["unknown"] == 5).all()


def test_what_learned_nothing_is_drawn_and_what_is_nobodys_is_taken_whole():
    start = Start(
        {"user_side": np.array([[1.0], [0.0]], np.float32), "shared": np.ones(3, np.float32)},
        users=np.array([0, 1, -1]),
        items=np.array([0]),
        counts=(2, 1),
        known=np.array([], np.int64),
    )
    model = nn.ParameterDict({"user_side": torch.full((3, 1), 5.0), "shared": torch.zeros(3)})

    taken = start.load(model)

    assert model["user_side"].flatten().tolist() == [1, 5, 5]
    assert model["shared"].tolist() == [1, 1, 1]
    assert taken == 4


def test_as_many_users_as_items_are_told_apart_by_name():
    start = Start(
        {"item_weight": np.array([[1.0], [2.0]], np.float32)},
        users=np.array([0, 1]),
        items=np.array([1, 0]),
        counts=(2, 2),
        known=np.array([], np.int64),
    )
    model = nn.ParameterDict({"item_weight": torch.zeros(2, 1)})

    start.load(model)

    assert model["item_weight"].flatten().tolist() == [2, 1]


def test_only_what_the_weights_have_not_seen_is_asked_for(old, make_snapshot):
    grown = make_snapshot(events(30, 20) + events(31, 21, first=30), 31, 21, name="grown")
    data = snapshot_interactions(read_snapshot(grown))
    start, _ = read_start(old, KEYS, IDS)

    found = start.split(data, 0.4, seed=1)

    assert len(found.test)
    assert set(found.test.user_index) == {30}
    assert len(found.train) + len(found.test) == len(data)
    assert np.array_equal(start.known, np.sort(known_to(read_artifact(old), items=21)))


def known_to(artifact, items: int) -> np.ndarray:
    met = artifact.history.tocoo()
    return met.row.astype(np.int64) * items + met.col


def test_the_settings_of_an_artifact_come_back():
    settings = Settings(
        LightGCNConfig(dimensions=8, hops=1),
        TrainingConfig(loss=BprConfig(negatives=3), max_epochs=7),
        ItemHalf(((EaseConfig(reg=20), 1.0),), truncation=5, blend=0.5),
        cosine=False,
        untruncated=0.5,
    )

    found = settings_of({**settings.recipe(), "text_encoder": None})

    assert found == settings
    assert found.recipe() == settings.recipe()


def test_a_recipe_that_cannot_be_used_is_refused():
    recipe = Settings(LightGCNConfig(), TrainingConfig(), ItemHalf()).recipe()

    with pytest.raises(ArtifactError, match="recipe has no 'training'"):
        settings_of({"model": recipe["model"], "closed_form": {}})
    with pytest.raises(UnknownNameError, match="there is no model 'gone'"):
        settings_of({**recipe, "model": {"name": "gone"}})
    with pytest.raises(SettingError, match="no setting 'colour'"):
        settings_of({**recipe, "training": {**recipe["training"], "colour": 1}})


def test_a_grown_snapshot_is_trained_from_the_last_artifact(old, make_snapshot, tmp_path):
    """Without a search, in the same settings, and judged on what is new alone."""
    grown = make_snapshot(events(30, 20) + events(40, 21, first=30), 40, 21, name="grown")
    steps = []

    model = train(grown, tmp_path / "new", start=old, progress=steps.append)

    before = read_artifact(old).model
    assert {step.step for step in steps} == {
        "epochs from the last artifact",
        "refit from the last artifact",
        "evaluation",
        "refit on all",
    }
    assert model.recipe["model"] == before.recipe["model"]
    assert model.recipe["closed_form"] == before.recipe["closed_form"]
    assert model.recipe["training"]["max_epochs"] <= before.recipe["training"]["max_epochs"]
    assert model.metrics["default"]["ndcg@10"] > 0
    # Two epochs of AdamW move no weight by more than a few learning rates.
    moved = weights(tmp_path / "new")["user_embedding"][:30] - weights(old)["user_embedding"]
    steps_taken = model.recipe["training"]["max_epochs"]
    assert np.abs(moved).max() < 0.02 * steps_taken
    assert np.abs(moved).max() > 0
