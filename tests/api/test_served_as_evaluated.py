"""What is served ranks as what was evaluated: NDCG asked back from the API, on real data."""

from collections import defaultdict
from dataclasses import replace

import httpx
import numpy as np
import pytest

from api.publication import publish
from benchmarks.ml100k import SPLIT_SEED
from graphdb.connection import Graph
from graphdb.domain import load_domain
from graphdb.export import export_snapshot
from graphdb.people import fetch_people
from graphdb.schema import create_schema
from ingest.dataset import load
from ingest.movielens import read_movielens
from tests.api.conftest import api_on, until_mapped
from tests.conftest import wipe
from training.artifact import read_artifact
from training.search.recipe import RecipeConfig
from training.splits import stratified_split
from training.train import train

K = 10
SEED = 1


@pytest.fixture(scope="module")
def split(data_folder):
    """MovieLens-100K and its stratified test part as {user: items}."""
    dataset = read_movielens(data_folder / "ml-100k")
    events = list(dataset.events)
    items = sorted({event["item_id"] for event in events}, key=int)
    rows = {item: row for row, item in enumerate(items)}
    index = np.array([rows[event["item_id"]] for event in events])
    kept, held = stratified_split(index, len(items), 0.75, SPLIT_SEED)
    test = defaultdict(set)
    for n in held:
        test[events[n]["user_id"]].add(events[n]["item_id"])
    return replace(dataset, events=[events[n] for n in np.sort(kept)]), dict(test)


def ndcg(answers: dict[str, list[str]], test: dict[str, set[str]]) -> float:
    discount = 1 / np.log2(np.arange(2, K + 2))
    values = []
    for user, wanted in test.items():
        gains = [item in wanted for item in answers[user]] + [False] * K
        ideal = discount[: min(K, len(wanted))].sum()
        values.append((discount * gains[:K]).sum() / ideal)
    return float(np.mean(values))


def test_the_api_gives_the_offline_ndcg_for_every_test_user(neo4j_address, split, tmp_path):
    print("seeds", SPLIT_SEED, SEED)
    dataset, test = split
    domain = load_domain("films")
    (tmp_path / "artifacts").mkdir()
    address = neo4j_address
    with Graph(address.uri, address.password, user=address.user) as graph:
        wipe(graph)
        create_schema(graph, domain)
        load(graph, domain, dataset)
        export_snapshot(graph, domain, tmp_path / "snapshot")
        quick = RecipeConfig(hops=(2,), temperature_ratios=(), others=())
        train(tmp_path / "snapshot", tmp_path / "artifacts" / "v", seed=SEED, config=quick)
        publish(graph, tmp_path / "artifacts" / "v")
        people = fetch_people(graph)

        artifact = read_artifact(tmp_path / "artifacts" / "v")
        rows = {key: row for row, key in enumerate(artifact.user_keys)}
        scores = artifact.scorer.scores(artifact.history, artifact.residuals)
        scores[artifact.history.nonzero()] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        offline = {user: [artifact.item_ids[i] for i in best[rows[people[user]]]] for user in test}
        with api_on(address, tmp_path) as url, httpx.Client(trust_env=False, timeout=10) as client:
            until_mapped(url)
            served = {user: ask(client, url, user) for user in test}

    evaluated, asked = ndcg(offline, test), ndcg(served, test)
    print(f"nDCG@{K}: offline {evaluated:.4f}, through the API {asked:.4f}, {len(test)} users")
    assert len(test) > 900
    assert evaluated > 0.4
    assert asked == pytest.approx(evaluated, rel=0.01)


def ask(client: httpx.Client, url: str, user: str) -> list[str]:
    answer = client.get(f"{url}/v1/recommendations", params={"user_id": user, "k": K}).json()
    assert answer["fallback"] is None
    return [item["id"] for item in answer["items"]]
