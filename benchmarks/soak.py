"""Hours in minutes: a mixed load at half of what the API can do, while versions come and go.

    python -m benchmarks.soak [--minutes 30] [--publish-minutes 5] [--fastest-seconds 20]
                              [--items 40000] [--users 100000] [--events 1000000]
                              [--neo4j VERSION]

The clients of benchmarks.serving send recommendations, events and catalogue changes (MIX) on a shop
of its own (benchmarks.published_shop), first as fast as they can, then at half that rate, each time
all at once; meanwhile a version with other vectors is published every few minutes. soak.errors:
answers that are none, degraded or impersonal. soak.mixed: of the answers to people without new
events (soak.checked), those with a score that is not of the version that they name.
soak.memory.PART: the median of the last third of the minutes, `reference` that of the first;
`tenths`: that of each tenth.
"""

import argparse
import itertools
import random
import statistics
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import numpy as np

from api.local.status import status
from benchmarks.figures import show
from benchmarks.published_shop import PublishedShop, catalogue_fields, published_shop
from benchmarks.serving import SEED, K, percentile, rate
from benchmarks.shoplike import SHARES, TYPES, ShopLike, item_id
from graphdb.connection import Neo4jSettings
from graphdb.local.jar_lock import DEFAULT_VERSION
from training.artifact import Artifact

MIX = {"recommend": 0.6, "event": 0.35, "catalogue": 0.05}
SAMPLE_S = 2
PARTS = ("neo4j", "redis", "consumer", "api")
TOLERANCE = 1e-4


@dataclass
class Soak:
    """The load and what comes of it. `still` are people who get no events."""

    shop: PublishedShop
    versions: dict[str, Artifact]
    still: list[str]
    moving: list[str]
    taken: list[float] = field(default_factory=list)
    wrong: Counter = field(default_factory=Counter)
    checked: int = 0

    def __post_init__(self) -> None:
        [first] = self.versions.values()
        self.url = self.shop.stack.api_url
        self._people = {key: row for row, key in enumerate(first.user_keys)}
        self._items = {item: row for row, item in enumerate(first.item_ids)}
        self._send = {"recommend": self.recommend, "event": self.event, "catalogue": self.change}

    def send(self, client: httpx.Client, number: int) -> None:
        """One request of the mix."""
        draw = random.Random(f"{SEED} {number}")
        [kind] = draw.choices(list(MIX), list(MIX.values()))
        try:
            self._send[kind](client, draw)
        except (httpx.HTTPError, AssertionError) as error:
            self.wrong["errors"] += 1
            print(f"{kind}: {error!r}"[:400], file=sys.stderr)

    def recommend(self, client: httpx.Client, draw: random.Random) -> None:
        """A list for anybody; of somebody still its scores are held against its version's."""
        asks_still = draw.random() < 0.5
        person = draw.choice(self.still if asks_still else self.moving)
        started = time.perf_counter()
        asked = {"user_id": person, "k": K}
        answer = client.post(f"{self.url}/v1/recommendations", json=asked).raise_for_status().json()
        self.taken.append((time.perf_counter() - started) * 1000)
        assert len(answer["items"]) == K, answer
        assert not answer["degraded"], answer["degraded"]
        assert answer["fallback"] is None, answer["fallback"]
        if not asks_still:
            return
        artifact = self.versions[answer["model_version"]]
        history = artifact.history[self._people[self.shop.keys[person]]]
        rows = np.array([self._items[item["id"]] for item in answer["items"]])
        exact = artifact.scorer.scores(history, None, rows)[0]
        told = np.array([item["score"] for item in answer["items"]])
        self.checked += 1
        self.wrong["mixed"] += int(np.abs(exact - told).max() > TOLERANCE)

    def event(self, client: httpx.Client, draw: random.Random) -> None:
        """One event of somebody who is not still."""
        [kind] = draw.choices(TYPES, SHARES)
        event = {
            "event_type": kind,
            "user_id": draw.choice(self.moving),
            "item_id": item_id(draw.randrange(self.shop.data.items)),
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        client.post(f"{self.url}/v1/events", json=event).raise_for_status()

    def change(self, client: httpx.Client, draw: random.Random) -> None:
        """Another title for an item."""
        row = draw.randrange(self.shop.data.items)
        fields = catalogue_fields(row) | {"title": f"Product {row}, {draw.random():.3f}"}
        url = f"{self.url}/v1/items/{item_id(row)}"
        client.put(url, json={"fields": fields}).raise_for_status()

    def publish(self, ended: threading.Event, seconds: float) -> None:
        """A version with other vectors every so many seconds, until the end."""
        began = time.monotonic()
        for number in itertools.count(1):
            if ended.wait(max(0.0, began + number * seconds - time.monotonic())):
                return
            artifact = self.shop.draw(SEED + number)
            self.versions[artifact.model.id] = artifact
            self.shop.publish(artifact)


def main() -> None:
    """Load the shop, find its rate, soak it, print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--publish-minutes", type=float, default=5)
    parser.add_argument("--fastest-seconds", type=float, default=20)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--neo4j", default=DEFAULT_VERSION, help="version of the local Neo4j")
    options = parser.parse_args()
    print(f"seed {SEED}, Neo4j {options.neo4j}", file=sys.stderr)
    data = ShopLike(events=options.events, users=options.users, items=options.items)
    with published_shop(data, SEED, version=options.neo4j) as (shop, artifact):
        people = shop.people(data.users, SEED)
        half = len(people) // 2
        soak = Soak(shop, {artifact.model.id: artifact}, people[:half], people[half:])
        most = rate(soak.send, options.fastest_seconds)
        soak.taken.clear()
        soak.wrong.clear()
        ended, memory = threading.Event(), []
        with ThreadPoolExecutor(2) as beside:
            tasks = [
                beside.submit(soak.publish, ended, options.publish_minutes * 60),
                beside.submit(watch, shop, ended, memory),
            ]
            try:
                kept = rate(soak.send, options.minutes * 60, most / 2)
            finally:
                ended.set()
            for task in tasks:
                task.result()
    show("soak.rate", kept, "requests/s", most)
    show("soak.versions", len(soak.versions), "served")
    show("soak.checked", soak.checked, "answers")
    for kind in ("errors", "mixed"):
        show(f"soak.{kind}", soak.wrong[kind], "answers")
    for name, share in (("p50", 50), ("p99", 99)):
        show(f"soak.recommend.{name}", percentile(soak.taken, share), "ms")
    for part in PARTS:
        taken = [row[part] for row in memory]
        tenths = [round(np.median(some)) for some in np.array_split(taken, 10) if len(some)]
        third = len(taken) // 3
        first, last = statistics.median(taken[:third]), statistics.median(taken[-third:])
        show(f"soak.memory.{part}", last, "MB", first, tenths=tenths)


def watch(shop: PublishedShop, ended: threading.Event, memory: list[dict[str, float]]) -> None:
    """The MB of each part of the stack every few seconds, until the end."""
    while not ended.wait(SAMPLE_S):
        rows = status(shop.stack.settings, Neo4jSettings(uri=""))
        memory.append({row["part"]: row["memory_mb"] for row in rows if row["part"] in PARTS})


if __name__ == "__main__":
    main()
