"""What an event costs when the graph is small, and when it is not.

    python -m benchmarks.growth [--sizes 250000 1000000 4000000] [--rest 40000] [--plot FILE.svg]

One graph grows by files to each size in turn. growth.bulk.N is the microseconds an event of
the last file took (`pathlight import`), growth.rest.N those of events in batches over HTTP into the
graph of that size, growth.snapshot.N those of a snapshot of it; `reference` is the same at the
first size. The plot is of these figures.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import show
from benchmarks.ingest import pathlight
from benchmarks.ingest_rest import measure_batches
from benchmarks.shop_stack import shop_stack
from benchmarks.shoplike import ShopLike, shoplike_domain
from graphdb.export.export import export_snapshot

SIZES = (250_000, 1_000_000, 4_000_000)
WARM_UP = 10_000

Costs = dict[str, dict[int, float]]
"""Microseconds an event, by what was done and the size of the graph."""


def main() -> None:
    """Measure, print the figures, draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rest", type=int, default=40_000, help="events sent at each size")
    parser.add_argument("--plot", type=Path, help="where to draw the figures")
    options = parser.parse_args()
    print(f"seed {ShopLike().seed}", file=sys.stderr)
    costs = measure(sorted(options.sizes), options.rest)
    for what, by_size in costs.items():
        first = next(iter(by_size.values()))
        for size, cost in by_size.items():
            show(f"growth.{what}.{size}", cost, "us/event", first)
    if options.plot:
        draw(costs, options.plot)


def measure(sizes: list[int], rest: int) -> Costs:
    """The costs at each size of one growing graph."""
    costs: Costs = defaultdict(dict)
    with shop_stack() as (stack, graph), tempfile.TemporaryDirectory() as folder:
        # The servers' first thousands of rows are slow whatever the graph's size.
        measure_batches(stack, graph, WARM_UP)
        there = 0
        for size in sizes:
            data, path = ShopLike(events=size), Path(folder) / f"{size}.parquet"
            replace(data, begin=there).write_parquet(path)
            seconds, _ = pathlight(stack.env, "import", str(path))
            costs["bulk"][size] = seconds / (size - there) * 1e6
            there = size
            rate, _ = measure_batches(stack, graph, rest)
            costs["rest"][size] = 1e6 / rate
            began = time.perf_counter()
            written = export_snapshot(graph, shoplike_domain(), Path(folder) / f"at-{size}")
            costs["snapshot"][size] = (time.perf_counter() - began) / written.counts["events"] * 1e6
    return costs


def draw(costs: Costs, path: Path) -> None:
    """A panel each: cost over the number of events, and the third that it may grow by."""
    from matplotlib import pyplot as plt

    plt.rcParams["svg.hashsalt"] = "pathlight"
    figure, panels = plt.subplots(1, len(costs), figsize=(10, 3), layout="constrained")
    for panel, (what, by_size) in zip(panels, costs.items(), strict=True):
        sizes, values = list(by_size), list(by_size.values())
        panel.plot(sizes, values, marker="o", color="#2a6f97")
        panel.axhline(values[0] * 4 / 3, linestyle=":", color="#888888")
        panel.set(title=what, xscale="log", xlabel="events in the graph", ylim=(0, None))
        panel.set_xticks(sizes, [f"{size / 1e6:g} M" for size in sizes], minor=False)
        panel.minorticks_off()
    panels[0].set_ylabel("µs an event")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
