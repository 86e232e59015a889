"""The gate of the loop on a real graph: a worse model is trained, and refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from api.loop import jobs
from api.loop.gate import artifact_verdict, serving_artifact
from api.loop.jobs import Workplace, run_job
from api.settings import Settings
from graphdb.connection import Neo4jSettings
from graphdb.events.events import save_events
from graphdb.export.export import export_snapshot
from graphdb.jobs import list_jobs, request_job
from graphdb.versions.versions import fetch_serving
from tests.rows import event_row
from tests.training.recipes import IGNORANT, QUICK
from training.judging.judgement import JudgementError
from training.search.recipe import RecipeConfig
from training.train import train

SEED = 3
PEOPLE, ITEMS, EACH = 60, 40, 12


@pytest.fixture
def place(graph, domain, artifacts, neo4j_address) -> Workplace:
    address = neo4j_address
    neo4j = Neo4jSettings(uri=address.uri, user=address.user, password=SecretStr(address.password))
    return Workplace(Settings(home=artifacts.parent), neo4j, graph, domain)


@pytest.fixture
def learnable(graph, domain, place) -> str:
    """People of two tastes in the graph; a snapshot's name."""
    print("gate seed", SEED)
    generator = np.random.default_rng(SEED)
    rows = [
        event_row(f"p{person}", str(int(item) * 2 + person % 2), float(minute))
        for person in range(PEOPLE)
        for item, minute in zip(
            generator.choice(ITEMS // 2, EACH, replace=False),
            generator.permutation(1000)[:EACH],
            strict=True,
        )
    ]
    save_events(graph, domain, "api", rows)
    snapshot = place.settings.snapshots / "s"
    export_snapshot(graph, domain, snapshot)
    return "s"


def serve(place: Workplace, snapshot: str, name: str, recipe: RecipeConfig) -> None:
    """Train a recipe and publish it, whatever it is worth."""
    train(place.settings.snapshots / snapshot, place.settings.artifacts / name, config=recipe)
    request_job(place.graph, f"publish:{name}", "publish", {"artifact": name})
    run_job(place, f"publish:{name}")
    assert fetch_serving(place.graph)["id"] == name


def train_nothing(settings, snapshot, name, progress, *, alive, **judged) -> Path:
    """The training step with a recipe that learns nothing."""
    train(snapshot, settings.artifacts / name, config=IGNORANT, **judged)
    return settings.artifacts / name


def trained(place: Workplace, snapshot: str) -> tuple[dict, str | None]:
    """Run a training job: its row, and the job that follows."""
    request_job(place.graph, f"train:{snapshot}", "train", {"snapshot": snapshot})
    following = run_job(place, f"train:{snapshot}")
    return next(row for row in list_jobs(place.graph) if row["kind"] == "train"), following


def test_a_worse_model_is_refused_and_its_job_says_why(place, learnable, monkeypatch):
    serve(place, learnable, "good", QUICK)
    monkeypatch.setattr(jobs, "train", train_nothing)

    job, following = trained(place, learnable)

    outcome = json.loads(job["outcome"])
    assert (job["state"], following, outcome["refused"]) == ("done", None, True)
    assert outcome["gate"].startswith("the new recipe is measurably worse than the recipe that")
    assert "ndcg@10" in outcome["gate"] and outcome["gate"].endswith(" people")
    assert [row["kind"] for row in list_jobs(place.graph)] == ["train", "publish"]
    assert fetch_serving(place.graph)["id"] == "good"


def test_with_the_gate_open_it_is_published(place, learnable, monkeypatch):
    serve(place, learnable, "good", QUICK)
    monkeypatch.setattr(jobs, "train", train_nothing)
    opened = Workplace(
        place.settings.model_copy(update={"quality_gate": False}),
        place.neo4j,
        place.graph,
        place.domain,
    )

    job, following = trained(opened, learnable)

    assert json.loads(job["outcome"]) == {"artifact": f"{learnable}-1"}
    assert following == f"publish:{learnable}-1"


def test_what_the_program_trains_passes_and_its_job_says_against_whom(place, learnable):
    # Within a taste all items are alike: of two recipes that learn, chance makes one the better.
    serve(place, learnable, "weak", IGNORANT)

    job, following = trained(place, learnable)

    outcome = json.loads(job["outcome"])
    assert (outcome["refused"], following) == (False, f"publish:{learnable}-1")
    assert "not measurably worse than the recipe that serves: ndcg@10" in outcome["gate"]
    assert "popularity: ndcg@10" in outcome["gate"]


def test_nothing_serves_before_the_first_and_files_that_are_gone_are_not_compared(
    place, graph, artifacts, request
):
    assert serving_artifact(place.settings, graph) is None

    request.getfixturevalue("world")

    assert serving_artifact(place.settings, graph) == artifacts / "v1"
    shutil.rmtree(artifacts / "v1")
    assert serving_artifact(place.settings, graph) is None


def test_a_damaged_judgement_is_refused_by_name_and_none_passes(tmp_path):
    assert not artifact_verdict(tmp_path).refused
    (tmp_path / "judgement.json").write_text("{")

    with pytest.raises(JudgementError, match=r"judgement\.json"):
        artifact_verdict(tmp_path)
