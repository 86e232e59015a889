"""Recommendation over HTTP against a bare endpoint that does RETURN 1 over the same driver.

    python -m benchmarks.serving [--items 40000] [--users 100000] [--events 1000000]
                                 [--requests 500] [--neo4j VERSION]

A shop of its own (benchmarks.published_shop), k 10 without what was seen, a person each. Latencies:
one client with one connection, requests of all kinds in turn; `filtered` keeps 2 % of the items,
`filtered.wide` 40 %. Throughput: CLIENTS at once, both sides in turn. recall: of the exact score's
best ten over the whole catalogue, or of what passes the filter, the share that is answered, and
recall.lengths that of a second version, whose score is the inner product. `reference` is the bare
endpoint's figure of the run.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from api.local.parts import API
from benchmarks.bare_server import bare_server
from benchmarks.figures import show
from benchmarks.published_shop import SHELVES, PublishedShop, catalogue_fields, published_shop
from benchmarks.shoplike import ShopLike, item_id
from graphdb.local.jar_lock import DEFAULT_VERSION
from training.artifact import Artifact

SEED = 1
WARM_UP = 50
K = 10
RECALLED = 300
"""People whose whole catalogue is scored."""
KEPT = {"": 2, ".wide": 40}
"""Kinds of filters, and the percentage of the items that they keep."""
CLIENTS, ROUND_S, ROUNDS = 8, 5.0, 3

Ask = Callable[[httpx.Client, int], object]


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=500, help="of each kind")
    parser.add_argument("--neo4j", default=DEFAULT_VERSION, help="version of the local Neo4j")
    options = parser.parse_args()
    print(f"seed {SEED}, Neo4j {options.neo4j}", file=sys.stderr)
    data = ShopLike(events=options.events, users=options.users, items=options.items)
    with (
        published_shop(data, SEED, parts=(API,), version=options.neo4j) as (shop, artifact),
        bare_server(shop.stack, "bare_endpoint") as bare,
    ):
        kinds = asks(shop, bare)
        show_latencies(latencies(kinds, options.requests))
        throughput(kinds)
        show("serving.recall", recall(shop, artifact), f"of the best {K}")
        for name, percent in KEPT.items():
            show(f"serving.filtered{name}.recall", recall(shop, artifact, percent), f"of {K}")
        lengths = shop.draw(SEED, cosine=False)
        shop.publish(lengths)
        shop.until_served(lengths.model.id)
        show("serving.recall.lengths", recall(shop, lengths), f"of the best {K}")


def asks(shop: PublishedShop, bare: str) -> dict[str, Ask]:
    """What is asked, by name; a number says for whom."""
    people = shop.people(shop.data.users, SEED)

    def recommend(client: httpx.Client, number: int, **asked: str) -> None:
        person = people[number % len(people)]
        assert len(recommended(client, shop, person, **asked)) == K

    def filtered(percent: int) -> Ask:
        return lambda client, n: recommend(client, n, filter=on_shelves(shelves(n, percent)))

    return {
        "bare": lambda client, n: client.get(f"{bare}/one").raise_for_status(),
        "recommend": recommend,
        "reasons": lambda client, n: recommend(client, n, include="reasons"),
        **{f"filtered{name}": filtered(percent) for name, percent in KEPT.items()},
    }


def shelves(number: int, percent: int) -> list[str]:
    """Shelves that hold so much of the catalogue, others for each number."""
    rows = range(number, number + SHELVES * percent // 100)
    return sorted({catalogue_fields(row)["shelf"] for row in rows})


def on_shelves(wanted: list[str]) -> str:
    """The filter for what stands on one of them."""
    return f"shelf in {json.dumps(wanted)}"


def recommended(client: httpx.Client, shop: PublishedShop, person: str, **asked: str) -> list[dict]:
    """The items of a personal, undegraded answer."""
    params = {"user_id": person, "k": K, **asked}
    url = f"{shop.stack.api_url}/v1/recommendations"
    answer = client.get(url, params=params).raise_for_status().json()
    assert not answer["degraded"], answer
    assert answer["fallback"] is None, answer
    return answer["items"]


def show_latencies(taken: dict[str, list[float]]) -> None:
    """Print p50 and p99 of each kind."""
    for kind in [kind for kind in taken if kind != "bare"]:
        for name, share in (("p50", 50), ("p99", 99)):
            value, reference = (percentile(taken[of], share) for of in (kind, "bare"))
            show(f"serving.{kind}.{name}", value, "ms", reference)


def latencies(kinds: dict[str, Ask], requests: int) -> dict[str, list[float]]:
    """Milliseconds of each request by kind, all kinds in turn."""
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    with httpx.Client(trust_env=False, timeout=60) as client:
        for number in range(WARM_UP + requests):
            for kind, ask in kinds.items():
                started = time.perf_counter()
                ask(client, number)
                taken[kind].append((time.perf_counter() - started) * 1000)
    return {kind: values[WARM_UP:] for kind, values in taken.items()}


def throughput(kinds: dict[str, Ask]) -> None:
    """Both sides in turn, CLIENTS at once; print the median of the rounds."""
    rates: dict[str, list[float]] = {"bare": [], "recommend": []}
    for _ in range(ROUNDS):
        for kind, found in rates.items():
            found.append(rate(kinds[kind], ROUND_S))
    ours, bare = (statistics.median(rates[kind]) for kind in ("recommend", "bare"))
    show("serving.throughput", ours, "requests/s", bare)


def rate(ask: Ask, seconds: float, wanted: float | None = None) -> float:
    """Requests a second of CLIENTS that ask one after another: as fast as they can, or `wanted`
    requests a second together."""
    numbers = itertools.count()
    pause = CLIENTS / wanted if wanted else 0.0
    began = time.monotonic()

    def work(_: int) -> int:
        done = 0
        with httpx.Client(trust_env=False, timeout=60) as client:
            while time.monotonic() - began < seconds:
                ask(client, next(numbers))
                done += 1
                # By the clock, not from the answer on: who was late hurries.
                time.sleep(max(0.0, began + done * pause - time.monotonic()))
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        done = sum(pool.map(work, range(CLIENTS)))
    return done / (time.monotonic() - began)


def recall(shop: PublishedShop, artifact: Artifact, percent: int = 100) -> float:
    """The mean share that the API answers of the exact best K, of so much of the catalogue."""
    rows = {key: row for row, key in enumerate(artifact.user_keys)}
    on = {item_id(row): catalogue_fields(row)["shelf"] for row in range(shop.data.items)}
    stands = np.array([on[item] for item in artifact.item_ids])
    found = []
    with httpx.Client(trust_env=False, timeout=60) as client:
        for number, person in enumerate(shop.people(RECALLED, SEED + 1)):
            row = rows[shop.keys[person]]
            scores = artifact.scorer.scores(artifact.history[row])[0]
            scores[artifact.seen[row].indices] = -np.inf
            asked = {}
            if percent < 100:
                wanted = shelves(number, percent)
                scores[~np.isin(stands, wanted)] = -np.inf
                asked["filter"] = on_shelves(wanted)
            best = {artifact.item_ids[item] for item in np.argsort(-scores, kind="stable")[:K]}
            answered = {item["id"] for item in recommended(client, shop, person, **asked)}
            found.append(len(best & answered) / len(best))
    return statistics.mean(found)


def percentile(values: list[float], share: int) -> float:
    """The value below which `share` per cent lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


if __name__ == "__main__":
    main()
