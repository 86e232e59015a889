"""A model added by one file, as CONTRIBUTING.md says, is trained, searched and judged again, and
scores as it serves, without a change elsewhere."""

import argparse
import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import training.models
from training.artifact import read_artifact
from training.commands import evaluate, train, tune
from training.errors import SettingError
from training.judgement import read_judgement
from training.loop import silent

FILE = '''
"""Neighbours: a user is the mean of the items met, an item its embedding."""

from typing import ClassVar

import torch
from pydantic import Field
from torch import nn

from training.model import Model, ModelConfig


class NeighboursConfig(ModelConfig):
    """`spread`: of the first embeddings."""

    name: ClassVar[str] = "neighbours"

    spread: float = Field(default=0.1, gt=0, le=1)

    def body(self, world, *, seed, device="cpu"):
        """The untrained model on `world`."""
        return Neighbours(self, world, seed, device)


class Neighbours(Model):
    """u = mean of i over the user's items."""

    def __init__(self, config, world, seed, device):
        super().__init__(world)
        generator = torch.Generator().manual_seed(seed)
        shape = (world.graph.shape[1], config.dimensions)
        self.items = nn.Parameter(torch.randn(shape, generator=generator) * config.spread)
        self.graph = torch.from_numpy(world.graph.toarray())
        self.to(device)

    def forward(self):
        """Final vectors of users and items."""
        met = self.graph.sum(dim=1, keepdim=True).clamp(min=1)
        return self.graph @ self.items / met, self.items
'''


@pytest.fixture
def added(tmp_path: Path, monkeypatch) -> Iterator[str]:
    """The file in a folder where models are found, and nothing else."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "neighbours.py").write_text(FILE)
    monkeypatch.setattr(training.models, "__path__", [*training.models.__path__, str(folder)])
    yield "neighbours"
    # The class must not be found by other tests.
    sys.modules.pop("training.models.neighbours", None)
    vars(training.models).pop("neighbours", None)
    gc.collect()


@pytest.fixture
def snapshot(make_snapshot) -> Path:
    """40 users of two tastes, 30 items."""
    generator = np.random.default_rng(1)
    rows = [
        (user, int(item) * 2 + user % 2, 1.0, at)
        for user in range(40)
        for at, item in enumerate(generator.permutation(15)[:9])
    ]
    return make_snapshot(rows, 40, 30)


def test_it_is_searched_trained_judged_again_and_scores_as_it_serves(added, snapshot, tmp_path):
    asked = (f"--model={added}", "--loss=bpr", "--set=model.dimensions=8")
    asked = (*asked, "--set=training.max_epochs=4", "--set=training.batch_size=64")

    found = called(tune, snapshot, tmp_path / "study", "--trials=2", *asked)
    called(train, snapshot, tmp_path / "m", f"--recipe={found['recipe']}")

    artifact = read_artifact(tmp_path / "m")
    recipe = json.loads((tmp_path / "study" / "recipe.json").read_text())
    assert artifact.model.recipe["model"] == recipe["model"]
    assert recipe["model"]["name"] == added and recipe["model"]["dimensions"] == 8
    assert "model.spread" in recipe["trials"][0]
    assert artifact.model.metrics[added]["ndcg@10"] > 0
    scores = artifact.scorer.scores(artifact.history, artifact.residuals)
    own = scores[::2, ::2].mean() + scores[1::2, 1::2].mean()
    judged = called(evaluate, tmp_path / "m", snapshot, "--split", "random", "--seed", "2")
    assert read_judgement(Path(judged["judgement"])).model(added).metrics["ndcg@10"].value > 0
    assert own > scores[::2, 1::2].mean() + scores[1::2, ::2].mean()


def test_its_settings_are_held_to_their_range(added, snapshot, tmp_path):
    with pytest.raises(SettingError, match=r"neighbours: spread is 2, expected .* at most 1"):
        called(train, snapshot, tmp_path / "m", f"--model={added}", "--set=model.spread=2")


def called(command, *arguments: Path | str) -> dict:
    """What the command prints last."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(list(map(str, arguments))), silent)
