from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import nn

from graphdb.snapshot import read_snapshot
from tests.training.worlds import world_of
from training.artifact import ArtifactError, read_artifact
from training.closed_forms.ease import EaseConfig
from training.errors import SettingError, UnknownNameError
from training.fitted import Settings
from training.losses.bpr import BprConfig
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.running.loop import TrainingConfig, train_model
from training.running.options import RunOptions, running_with
from training.search.recipe import RecipeConfig
from training.search.selection import ItemHalf
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


def islands(count: int, extra: int = 0) -> sp.csr_matrix:
    """Islands of six users and six items who all met; `extra` further users on the last one."""
    blocks = np.kron(np.eye(count), np.ones((6, 6)))
    more = np.zeros((extra, 6 * count))
    more[:, -6:] = 1
    return sp.csr_matrix(np.concatenate([blocks, more]).astype(np.float32))


def begun(graph: sp.csr_matrix, before: sp.csr_matrix) -> tuple[LightGCN, Start]:
    """A model of `graph` and the start that a model of `before` gives it."""
    config = LightGCNConfig(dimensions=8, hops=1)
    trained = LightGCN(config, world_of(before), seed=2)
    names = [f"u{row}" for row in range(graph.shape[0])]
    start = Start(
        {name: each.detach().numpy() for name, each in trained.named_parameters()},
        users=np.where(np.arange(len(names)) < before.shape[0], np.arange(len(names)), -1),
        items=np.arange(graph.shape[1]),
        counts=before.shape,
        known=np.sort(before.tocoo().row.astype(np.int64) * graph.shape[1] + before.tocoo().col),
    )
    return LightGCN(config, world_of(graph), seed=1), start


def test_a_small_change_trains_its_neighbourhood_and_nothing_else_moves():
    before, graph = islands(6), islands(6, extra=1)
    model, start = begun(graph, before)
    old = {name: torch.from_numpy(each.copy()) for name, each in start.weights.items()}

    with running_with(RunOptions(start=start.begin)):
        trained = train_model(model, model.world, TrainingConfig(max_epochs=3), seed=1)

    assert trained.curve[-1]["loss"] < trained.curve[0]["loss"]
    users, items = model.user_embedding.detach(), model.item_embedding.detach()
    assert torch.equal(users[:30], old["user_embedding"][:30])
    assert torch.equal(items[:30], old["item_embedding"][:30])
    assert (users[30:36] != old["user_embedding"][30:]).any(dim=1).all()
    assert (items[30:] != old["item_embedding"][30:]).any(dim=1).all()


@pytest.mark.parametrize(
    ("before", "graph"),
    [(islands(2), islands(2, extra=1)), (islands(4), islands(4))],
    ids=["half of it is near", "nothing came"],
)
def test_everything_is_trained_where_the_change_is_not_small(before, graph):
    model, start = begun(graph, before)

    assert start.begin(model) is None


def test_what_is_near_a_pair_that_went_is_trained_as_well():
    before, graph = islands(8), islands(8, extra=1).tolil()
    graph[0, 0] = 0
    model, start = begun(sp.csr_matrix(graph.tocsr()), before)

    region = start.begin(model)

    assert region is not None
    assert np.flatnonzero(region.items).tolist() == [*range(6), *range(42, 48)]


def test_the_settings_of_an_artifact_come_back():
    settings = Settings(
        LightGCNConfig(dimensions=8, hops=1),
        TrainingConfig(loss=BprConfig(negatives=3), max_epochs=7),
        ItemHalf(EaseConfig(reg=20), truncation=5, blend=0.5),
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
    # Whoever goes on from this one starts from the same settings: they do not shrink.
    assert model.recipe["training"] == before.recipe["training"]
    assert model.recipe["resumed"]["max_epochs"] <= before.recipe["training"]["max_epochs"]
    assert model.metrics["default"]["ndcg@10"] > 0
    assert model.curve
    # Two epochs of AdamW move no weight by more than a few learning rates.
    moved = weights(tmp_path / "new")["user_embedding"][:30] - weights(old)["user_embedding"]
    steps_taken = model.recipe["resumed"]["max_epochs"]
    assert np.abs(moved).max() < 0.02 * steps_taken
    assert np.abs(moved).max() > 0


@pytest.mark.parametrize(("decay", "rate"), [(0, 0.4), (8, 0.1)])
def test_it_is_the_last_quarter_of_a_run_from_nothing(decay, rate):
    training = TrainingConfig(learning_rate=0.4, max_epochs=8, decay_epochs=decay)

    last = training.last(0.25)

    assert (last.max_epochs, last.learning_rate) == (2, pytest.approx(rate))
    assert last.decay_epochs == (2 if decay else 0)
    assert training.last(0.01).max_epochs == 1
