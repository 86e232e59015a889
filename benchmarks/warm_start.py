"""Retraining on a grown MovieLens-100K: from the last model's weights, and from nothing.

    python -m benchmarks.warm_start [--data FOLDER] [--seeds 1 2 3]

The last model learned from the first 90 % of the ratings by time, in the recipe's first settings;
its number of epochs is chosen on them. Then everything is there: from the last weights and from
nothing alike the number of epochs is chosen on what is new, and the recipe is refitted. Both are
asked for the latest fifth of each user's ratings as far as it is new; nobody learns from that.
Seconds are the processor's, so that they mean something beside other programs.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import show
from benchmarks.ml100k import DATA, read_ratings
from training.threads import wait_briefly

wait_briefly()

LAST_SHARE = 0.1
ASKED_SHARE = 0.2


def retrain(world, start, settings, seed: int, *, warm: bool):
    """What is fitted, and the processor's seconds it took."""
    from training.running.options import RunOptions, running_with
    from training.search.recipe import WARM_SHARE
    from training.warm_start import refit_grown

    started = time.process_time()
    share = WARM_SHARE if warm else 1.0
    with running_with(RunOptions(start=start.begin if warm else None)):
        fitted = refit_grown(world, start, settings, seed=seed, share=share)
    return fitted, time.process_time() - started


def measure(data, settings, seed: int) -> dict[str, float]:
    """Seconds, epochs and nDCG@10 of both ways, by name."""
    from benchmarks.judging import judge
    from training.fitted import refit
    from training.splits import pairs, time_split
    from training.warm_start import Start
    from training.world import World

    before, _ = time_split(data, LAST_SHARE, seed)
    last = refit(World(before), settings, seed=seed)
    counts = data.user_count, data.item_count
    users, items = (np.arange(count) for count in counts)
    start = Start(last.weights, users, items, counts, known=np.sort(pairs(before)))
    parts = start.split(data, ASKED_SHARE, seed)
    found = {}
    for name, warm in (("cold", False), ("warm", True)):
        fitted, seconds = retrain(World(parts.train), start, settings, seed, warm=warm)
        found[f"{name}.seconds"] = seconds
        found[f"{name}.epochs"] = fitted.settings.resumed.max_epochs
        found[f"{name}.ndcg"] = judge(fitted, parts.test)["default"]["ndcg@10"]
    sys.stderr.write(f"seed {seed}: {found}, {len(parts.test)} ratings asked for\n")
    return found


def main() -> None:
    """Measure and print two figures, medians over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    options = parser.parse_args()
    from training.data import interactions
    from training.running.loop import silent
    from training.search.recipe import RecipeConfig, search
    from training.splits import time_split
    from training.world import World

    ratings = read_ratings(options.data)
    data = interactions(
        ratings.user_index,
        ratings.item_index,
        len(ratings.user_ids),
        len(ratings.item_ids),
        at=ratings.at * 1_000_000,
    )
    before, _ = time_split(data, LAST_SHARE, options.seeds[0])
    first = RecipeConfig(hops=(2,), temperature_ratios=(), others=(), truncations=(100,))
    settings = search(World(before), first, seed=options.seeds[0], report=silent)
    sys.stderr.write(f"settings {settings.recipe()}\n")
    runs = [measure(data, settings, seed) for seed in options.seeds]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    for name, unit in (("seconds", "s"), ("ndcg", "ndcg@10")):
        show(f"warm_start.{name}", medians[f"warm.{name}"], unit, medians[f"cold.{name}"])


if __name__ == "__main__":
    main()
