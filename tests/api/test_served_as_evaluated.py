"""What is served ranks as what was evaluated: NDCG asked back from the API, on real data."""

import httpx
import numpy as np
import pytest

from api.loop.publication import publish
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.export.export import export_snapshot
from graphdb.local.processes import wait_until
from graphdb.people.people import fetch_people
from graphdb.schema import create_schema
from graphdb.snapshot import read_snapshot
from ingest.file_import import find_dataset, import_dataset
from ingest.tables.rejects import Rejects
from tests.api.conftest import api_on, until_mapped
from tests.test_domains import beginning
from tests.wiping import wipe
from training.closed_forms.ease import EaseConfig
from training.fitted import Settings, refit
from training.judging.assessment import Assessment
from training.judging.contest import fitted_scores
from training.models.lightgcn import LightGCNConfig
from training.running.loop import TrainingConfig
from training.search.selection import ItemHalf
from training.snapshots import snapshot_world
from training.splits import split
from training.train import save_fitted

K = 10
SEED = 1
IN_PART = {"shop": (60_000, 800)}
"""Without --whole so many rows of a larger data set are imported, and more than so many people
asked for."""
WEIGHTS, FEW_WEIGHTS = 100, 20
"""Kept of an item: most of a publication is writing them, and --whole does."""


@pytest.mark.parametrize(
    ("name", "data", "least"), [("films", "ml-100k", 900), ("shop", "online-retail", 3_000)]
)
def test_the_api_gives_the_offline_ndcg_for_every_test_user(
    neo4j_address, data_folder, tmp_path, request, name, data, least
):
    """The version knows the training part alone; what is asked for is in the graph, at or before
    its cut, so that it is neither new nor seen."""
    print("seed", SEED)
    folder, weights = data_folder / data, WEIGHTS
    if not request.config.getoption("--whole"):
        weights = FEW_WEIGHTS
        if name in IN_PART:
            rows, least = IN_PART[name]
            folder = beginning(folder, tmp_path / data, rows)
    domain, address = load_domain(name), neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph, Rejects() as rejects:
        wipe(graph)
        create_schema(graph, domain)
        import_dataset(graph, domain, find_dataset(folder, domain), rejects)
        export_snapshot(graph, domain, tmp_path / "snapshot")
        snapshot = read_snapshot(tmp_path / "snapshot")
        world = snapshot_world(snapshot)
        parts = split(world.interactions, "latest", 0.1, SEED)
        fitted = refit(world.with_interactions(parts.train), settings(weights), seed=SEED)
        artifact = tmp_path / "artifacts" / "v"
        save_fitted(artifact, snapshot, fitted, seed=SEED, judgement=None, seconds={})
        publish(graph, artifact)
        wanted = asked_for(parts.test, snapshot, fetch_people(graph))
        # On a crowded machine answers may come late, but from the graph.
        served = {"PATHLIGHT_DOMAIN": name, "PATHLIGHT_GRAPH_PATIENCE_S": "60"}
        with (
            api_on(address, tmp_path, **served) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=10) as client,
        ):
            until_mapped(url)
            asked = np.mean([ndcg(ask(client, user), items) for user, items in wanted.items()])

    judged = Assessment(world, parts, SEED, [K]).judge({"served": fitted_scores(fitted, parts)})
    evaluated = judged.model("served").metrics[f"ndcg@{K}"].value
    print(f"nDCG@{K}: offline {evaluated:.4f}, through the API {asked:.4f}, {len(wanted)} users")
    assert len(wanted) > least
    assert evaluated > 0.03
    assert asked == pytest.approx(evaluated, rel=0.01)


def settings(weights: int) -> Settings:
    """Both halves of the score, learned in a moment."""
    half = ItemHalf(EaseConfig(), weights, 0.5)
    return Settings(LightGCNConfig(hops=2), TrainingConfig(max_epochs=3), half)


def asked_for(test, snapshot, people) -> dict[str, set[str]]:
    """The items that each person of the test part chose, by id."""
    ids = snapshot.items["id"].to_pylist()
    names = {key: person for person, key in people.items()}
    users = [names[key] for key in snapshot.users["key"].to_pylist()]
    wanted: dict[str, set[str]] = {}
    for user, item in zip(
        test.user_index[test.weight > 0], test.item_index[test.weight > 0], strict=True
    ):
        wanted.setdefault(users[user], set()).add(ids[item])
    return wanted


def ask(client: httpx.Client, user: str) -> list[str]:
    """The items of an answer from the graph: a crowded machine may need another try for one."""
    answers = []

    def answered() -> bool:
        asked = client.get("/v1/recommendations", params={"user_id": user, "k": K})
        answers.append(asked.raise_for_status().json())
        return answers[-1]["degraded"] != ["graph"]

    assert wait_until(answered, 30, 1)
    assert (answers[-1]["fallback"], answers[-1]["degraded"]) == (None, []), user
    return [item["id"] for item in answers[-1]["items"]]


def ndcg(answered: list[str], wanted: set[str]) -> float:
    discount = 1 / np.log2(np.arange(2, K + 2))
    gains = np.array([item in wanted for item in answered] + [False] * K)[:K]
    return float((discount * gains).sum() / discount[: min(K, len(wanted))].sum())
