"""What an answer costs in a small catalogue, and in a large one.

    python -m benchmarks.scale [--items 10000 100000 400000] [--requests 300] [--plot FILE.svg]
                               [--neo4j VERSION]

A shop of its own for each size (benchmarks.published_shop) with the same people and events, one
client, k 10. scale.recommend.N is the p50 with N items, scale.filtered.wide.N that with a filter
that keeps 40 % of them; `reference` is that of the size before, and `bare` the bare endpoint's of
the same run, asked in turn.
"""

import argparse
import statistics
import sys
from pathlib import Path

from api.local.parts import API
from benchmarks.bare_server import bare_server
from benchmarks.figures import show
from benchmarks.published_shop import published_shop
from benchmarks.serving import SEED, asks, latencies
from benchmarks.shoplike import ShopLike
from graphdb.local.jar_lock import DEFAULT_VERSION

ASKED = ("recommend", "filtered.wide")
SIZES = (10_000, 100_000, 400_000)


def main() -> None:
    """Measure, print the figures, draw them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--items", type=int, nargs="+", default=SIZES)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--requests", type=int, default=300, help="of each kind")
    parser.add_argument("--neo4j", default=DEFAULT_VERSION, help="version of the local Neo4j")
    parser.add_argument("--plot", type=Path, help="where to draw the figures")
    options = parser.parse_args()
    print(f"seed {SEED}, Neo4j {options.neo4j}", file=sys.stderr)
    found: dict[int, dict[str, float]] = {}
    for items in sorted(options.items):
        data = ShopLike(events=options.events, users=options.users, items=items)
        with (
            published_shop(data, SEED, parts=(API,), version=options.neo4j) as (shop, _),
            bare_server(shop.stack, "bare_endpoint") as bare,
        ):
            kinds = asks(shop, bare)
            asked = {kind: kinds[kind] for kind in ("bare", *ASKED)}
            taken = latencies(asked, options.requests)
        p50 = {kind: statistics.median(values) for kind, values in taken.items()}
        before = list(found.values())[-1] if found else {}
        for kind in ASKED:
            show(f"scale.{kind}.{items}", p50[kind], "ms", before.get(kind), bare=p50["bare"])
        found[items] = p50
    if options.plot:
        draw(found, options.plot)


def draw(found: dict[int, dict[str, float]], path: Path) -> None:
    """The p50 of each kind over the number of items."""
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "pathlight"
    figure, panel = plt.subplots(figsize=(5, 3), layout="constrained")
    sizes = list(found)
    for kind, color in zip((*ASKED, "bare"), ("#2a6f97", "#c9742b", "#888888"), strict=True):
        panel.plot(sizes, [found[n][kind] for n in sizes], marker="o", color=color, label=kind)
    panel.set(xscale="log", xlabel="items", ylabel="ms, p50", ylim=(0, None))
    panel.set_xticks(sizes, [f"{size:,}" for size in sizes], minor=False)
    panel.minorticks_off()
    panel.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
