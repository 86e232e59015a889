"""Recommendation over HTTP against a bare endpoint that does RETURN 1 over the same driver.

    python -m benchmarks.serving [--data FOLDER] [--requests 500] [--home DIRECTORY]

MovieLens-100K loaded, trained and published (once: the directory is kept), one client with one
connection, k 10, requests of both sides interleaved, a person each. `reference` is the bare
endpoint's figure of the same run.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from api.demo import learn
from api.parts import API
from api.settings import Settings
from api.stack import running
from api.terminal import Steps
from benchmarks.bare_server import bare_server
from benchmarks.figures import show
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import load_domain
from ingest.movielens import read_movielens

DATA = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
SEED = 1
WARM_UP = 50


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of MovieLens-100K")
    parser.add_argument("--requests", type=int, default=500, help="of each kind")
    parser.add_argument("--home", type=Path, default=Path(".pathlight/benchmark-serving"))
    options = parser.parse_args()
    dataset = read_movielens(options.data)
    settings = Settings(home=options.home)
    domain = load_domain(settings.domain)
    with Steps() as steps, running(settings, Neo4jSettings(), steps.advance, (API,)) as stack:
        with Graph.from_settings(stack.neo4j) as graph:
            learn(settings, stack.neo4j, graph, domain, dataset, steps)
        people = [user["id"] for user in dataset.users]
        random.Random(SEED).shuffle(people)
        print(f"seed {SEED}", file=sys.stderr)
        with bare_server(stack, "bare_endpoint") as bare, httpx.Client(trust_env=False) as client:
            measure(client, stack.api_url, bare, people, options.requests)


def measure(client: httpx.Client, api: str, bare: str, people: list[str], requests: int) -> None:
    """Interleave the three kinds of requests and print what each took."""

    def recommend(number: int, **asked: str) -> None:
        user = people[number % len(people)]
        params = {"user_id": user, "k": 10, **asked}
        answer = client.get(f"{api}/v1/recommendations", params=params).raise_for_status().json()
        assert len(answer["items"]) == 10, answer
        assert not answer["degraded"], answer

    kinds: dict[str, Callable[[int], object]] = {
        "bare": lambda n: client.get(f"{bare}/one").raise_for_status(),
        "recommend": recommend,
        "recommend.reasons": lambda n: recommend(n, include="reasons"),
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(WARM_UP + requests):
        for kind, ask in kinds.items():
            started = time.perf_counter()
            ask(number)
            if number >= WARM_UP:
                taken[kind].append((time.perf_counter() - started) * 1000)
    for kind in ("recommend", "recommend.reasons"):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            show(f"serving.{kind}.{name}", _at(taken[kind], share), "ms", _at(taken["bare"], share))


def _at(values: list[float], share: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


if __name__ == "__main__":
    main()
