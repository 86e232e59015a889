"""A model added by one file, as CONTRIBUTING.md says, is searched, trained, judged, reported,
published and served, without a change elsewhere."""

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import api_on, until_mapped
from tests.api.pathlight import Run, refused
from tests.api.versions import PEOPLE
from training.artifact import read_artifact

PACKAGES = ("api", "graphdb", "ingest", "training", "domains")
NAME = "neighbours"

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
def project(tmp_path: Path, project: Path) -> Path:
    """Another checkout, with the file where models are found, and nothing else."""
    copy = tmp_path / "checkout"
    for package in PACKAGES:
        shutil.copytree(project / package, copy / package)
    (copy / "training" / "models" / f"{NAME}.py").write_text(FILE)
    return copy


@pytest.fixture
def run(run_process: Run) -> Run:
    """As a process: it is to load the packages of the other checkout."""
    return run_process


FORGET_TEXTS = "MATCH (i:Item) REMOVE i.text, i.text_digest"


def test_it_is_held_to_its_range_searched_trained_judged_reported_and_served(
    on_graph: Run, graph, neo4j_address, artifacts: Path
):
    graph.write(FORGET_TEXTS)

    def told(*arguments: str) -> dict:
        done = on_graph(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert NAME in {row["name"] for row in told("models")}
    snapshot = told("snapshot")["snapshot"]
    expected = "spread is 2, expected a number more than 0 and at most 1"
    wide = on_graph("train", snapshot, f"--model={NAME}", "--set=model.spread=2", "--json")
    assert refused(wide) == f"model {NAME}: {expected}"
    few = ("--set=model.dimensions=8", "--set=training.max_epochs=4")
    found = told("tune", snapshot, f"--model={NAME}", "--loss=bpr", "--minutes=0.05", *few)
    trained = told("train", snapshot, f"--recipe={found['recipe']}")["artifact"]
    judgement = told("evaluate", trained, "--split=random", "--seed=2")
    page = Path(told("report", trained)["page"])

    recipe = json.loads(Path(found["recipe"]).read_text())
    artifact = read_artifact(Path(trained))
    assert artifact.model.recipe["model"] == recipe["model"]
    assert recipe["model"]["name"] == NAME and recipe["model"]["dimensions"] == 8
    assert "model.spread" in recipe["trials"][0]
    assert NAME in {model["name"] for model in judgement["models"]}
    assert NAME in page.read_text()

    told("publish", trained)
    with api_on(neo4j_address, artifacts.parent) as url:
        until_mapped(url)
        answers = [
            httpx.get(f"{url}/v1/recommendations?user_id=p{n}&k=3", trust_env=False).json()
            for n in range(PEOPLE)
        ]
    assert {answer["model_version"] for answer in answers} == {Path(trained).name}
    best = artifact.scorer.scores(artifact.history, artifact.residuals)
    best[artifact.history.nonzero()] = -float("inf")
    first = sorted(artifact.item_ids[n] for n in best.argmax(axis=1))
    assert sorted(answer["items"][0]["id"] for answer in answers) == first
