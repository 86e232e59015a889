"""MovieLens-100K under recommenders-team's protocol: nDCG@10 of the default recipe and its parts.

    python -m benchmarks.ml100k [--data FOLDER] [--seeds 1 2 3] [--no-text] [--settings]

All ratings are positive; 75/25 split at random, stratified by item, seed 42; the whole catalogue
minus the train items is ranked. Every setting is chosen on a validation tenth of train, then the
recipe is refitted on train and the test part is looked at once. The default is measured as served:
truncated, one scalar. Texts (title, genres, plot, people) are encoded by all-MiniLM-L6-v2.
"""

import argparse
import csv
import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.figures import show
from training.threads import wait_briefly

wait_briefly()

DATA = Path(__file__).parents[2] / "shared" / "data" / "ml-100k"
SPLIT_SEED = 42


@dataclass(frozen=True)
class Ratings:
    """`user_index`, `item_index` [N] in the file's order; `at` seconds; `item_ids` as in the file.

    Rows are ids in numeric order.
    """

    user_index: np.ndarray
    item_index: np.ndarray
    at: np.ndarray
    user_ids: list[str]
    item_ids: list[str]


def read_ratings(folder: Path) -> Ratings:
    """`ml-100k.inter`; exits with a sentence when it is not there."""
    path = folder / "ml-100k.inter"
    if not path.is_file():
        sys.exit(f"{path} is missing: name the folder of MovieLens-100K with --data")
    with path.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    user_ids = sorted({row["user_id:token"] for row in rows}, key=int)
    item_ids = sorted({row["item_id:token"] for row in rows}, key=int)
    user_row = {user: index for index, user in enumerate(user_ids)}
    item_row = {item: index for index, item in enumerate(item_ids)}
    return Ratings(
        user_index=np.array([user_row[row["user_id:token"]] for row in rows]),
        item_index=np.array([item_row[row["item_id:token"]] for row in rows]),
        at=np.array([int(row["timestamp:float"]) for row in rows]),
        user_ids=user_ids,
        item_ids=item_ids,
    )


def read_texts(folder: Path, item_ids: list[str]) -> list[str]:
    """One text an item: title, genres, and what `omdb_metadata.jsonl` knows."""
    with (folder / "omdb_metadata.jsonl").open() as file:
        known = {str(row["movie_id"]): row.get("omdb") or {} for row in map(json.loads, file)}
    with (folder / "ml-100k.item").open() as file:
        titles = {row["item_id:token"]: row for row in csv.DictReader(file, delimiter="\t")}
    texts = []
    for item in item_ids:
        parts = [titles[item]["movie_title:token_seq"], titles[item]["class:token_seq"]]
        parts += [known.get(item, {}).get(name) for name in ("Plot", "Director", "Actors")]
        texts.append(". ".join(part for part in parts if part and part != "N/A"))
    return texts


def encode(texts: list[str]) -> np.ndarray:
    """Unit vectors [N, 384] of the encoder that ingest uses by default."""
    from ingest.text import TextEncoder, TextSettings

    return np.asarray(TextEncoder(TextSettings()).encode(texts), np.float32)


def protocol_split(ratings: Ratings):
    """(train, test) interactions; without times, for the split knows none."""
    from training.data import interactions
    from training.splits import stratified_split

    sizes = len(ratings.user_ids), len(ratings.item_ids)
    parts = stratified_split(ratings.item_index, sizes[1], 0.75, SPLIT_SEED)
    return [
        interactions(ratings.user_index[rows], ratings.item_index[rows], *sizes) for rows in parts
    ]


def measure(train, test, text: np.ndarray | None, seed: int) -> tuple[dict, dict]:
    """nDCG@10 by model name, and the settings, of one seed."""
    from benchmarks.judging import judge
    from training.search.recipe import fit
    from training.world import World

    started = time.monotonic()
    fitted = fit(World(train, text), seed=seed)
    metrics = {name: values["ndcg@10"] for name, values in judge(fitted, test).items()}
    return metrics, {
        "seed": seed,
        "seconds": time.monotonic() - started,
        **fitted.settings.recipe(),
    }


def main() -> None:
    """Measure and print four figures, medians over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--no-text", action="store_true", help="ids alone")
    parser.add_argument("--settings", action="store_true", help="chosen settings, on stderr")
    options = parser.parse_args()
    ratings = read_ratings(options.data)
    text = None if options.no_text else encode(read_texts(options.data, ratings.item_ids))
    train, test = protocol_split(ratings)
    sys.stderr.write(f"seeds {options.seeds}, split seed {SPLIT_SEED}\n")
    runs = []
    for seed in options.seeds:
        metrics, chosen = measure(train, test, text, seed)
        runs.append(metrics)
        if options.settings:
            sys.stderr.write(json.dumps({**chosen, **metrics}) + "\n")
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    for name, value in medians.items():
        reference = None if name in {"ease", "popularity"} else medians["ease"]
        show(f"ml100k.{name}.ndcg@10", value, "ndcg@10", reference)


if __name__ == "__main__":
    main()
