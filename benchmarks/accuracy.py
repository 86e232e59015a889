"""The default recipe, untouched, on a split given as two files: accuracy as served, and baselines.

    python -m benchmarks.accuracy TRAIN TEST [--k 20] [--seed 1] [--minutes 25] [--settings]

TRAIN and TEST are .txt, .tsv or .parquet (benchmarks.split_files says how). Everything is chosen on
a validation tenth of TRAIN, the latest of each user, at random without times; then the recipe is
refitted on TRAIN and TEST is looked at once: the whole catalogue minus TRAIN is ranked. Recall
divides by all of a user's test items; NDCG has binary gains and log2 discounts, its ideal is
min(k, test items). Popularity, ItemKNN and EASE are whole and not truncated, their settings by
validation too; beyond 20,000 items GF-CF, as its authors set it, stands for EASE. What is measured
is told on stderr at once, and as figures when all is there. `accuracy.chosen` names what was
chosen; --settings prints all that was tried to stderr.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.figures import show
from benchmarks.split_files import SplitFileError, SplitFiles, read_split_files
from training.threads import wait_briefly

wait_briefly()

METRICS = ("recall", "ndcg")


def measure(
    files: SplitFiles, k: int, seed: int, minutes: float
) -> tuple[dict[str, dict[str, float]], dict]:
    """Metrics by model ("default" is what serves); the chosen settings, and seconds to fit."""
    from benchmarks.judging import judge
    from training.running.loop import Progress
    from training.search.recipe import RecipeConfig, fit
    from training.world import World

    started = time.monotonic()

    def tell(what: str, figures: dict[str, float]) -> None:
        values = " ".join(f"{name} {value:.4f}" for name, value in figures.items())
        sys.stderr.write(f"{time.monotonic() - started:5.0f} s {what} {values}\n")

    def report(progress: Progress) -> None:
        tell(f"{progress.step}: {progress.done}/{progress.total}", progress.figures)

    fitted = fit(World(files.train), RecipeConfig(minutes=minutes), seed=seed, report=report)
    seconds = time.monotonic() - started
    found = judge(fitted, files.test, k, lambda name, metrics: tell(f"test: {name}", metrics))
    chosen = {**fitted.settings.recipe(), "cosine": fitted.settings.cosine}
    return found, {
        "seed": seed,
        "seconds": seconds,
        "parts": fitted.seconds,
        "chosen": chosen,
        "trials": fitted.settings.trials,
    }


def main() -> None:
    """Measure and print a figure a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=25, help="for search and refit together")
    parser.add_argument("--settings", action="store_true", help="all that was tried, on stderr")
    options = parser.parse_args()
    if options.k < 1 or options.minutes <= 0:
        parser.error("--k is a whole number of at least 1, --minutes more than 0")
    try:
        files = read_split_files(options.train, options.test)
    except SplitFileError as error:
        sys.exit(str(error))
    sys.stderr.write(f"seed {options.seed}, {options.minutes:g} minutes\n")
    found, settings = measure(files, options.k, options.seed, options.minutes)
    if options.settings:
        sys.stderr.write(json.dumps(settings) + "\n")
    baseline = max(
        (name for name in found if name in {"popularity", "itemknn", "ease", "gfcf"}),
        key=lambda name: found[name][f"ndcg@{options.k}"],
    )
    for name, values in found.items():
        for metric in (f"{metric}@{options.k}" for metric in METRICS):
            served = name == "default"
            place = metric if served else f"{name}.{metric}"
            reference = found[baseline][metric] if served else None
            show(f"accuracy.{place}", values[metric], metric, reference)
    chosen = settings["chosen"]
    kept = chosen["closed_form"]["truncation"]
    show("accuracy.chosen", kept, "weights an item", settings=_words(chosen))
    show("accuracy.seconds", settings["seconds"], "s")
    show("accuracy.rss", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")


def _words(chosen: dict) -> str:
    model, loss = chosen["model"], chosen["training"]["loss"]
    half = chosen["closed_form"]
    form = half["form"]["name"] if half["form"] else "nothing"
    score = "cosine" if chosen["cosine"] else "inner product"
    return (
        f"{model['name']} of {model.get('hops')} hops, {loss['name']} at {loss['temperature']:g},"
        f" {chosen['training']['max_epochs']} epochs, by {score}; {form}, λ {half['blend']:.4g}"
    )


if __name__ == "__main__":
    main()
