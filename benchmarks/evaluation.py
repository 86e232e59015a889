"""What it costs to assess the served score on a whole catalogue, every metric and interval.

    python -m benchmarks.evaluation TRAIN TEST [--neighbours 100]

The files as for benchmarks.split_files. The vectors are those of an untrained LightGCN and the
item–item weights are drawn, so many an item: time and memory depend on sizes, not on values. The
reference is the bare product of the users' and the items' vectors with torch.topk, which is less
than the score: it has no item–item half. evaluation.rss is the peak memory of this process, the
files' reading and everything that scores in it.
"""

import argparse
import resource
import time
from pathlib import Path

from training.threads import wait_briefly

wait_briefly()

import numpy as np
import scipy.sparse as sp
import torch

from benchmarks.figures import show
from benchmarks.split_files import read_split_files
from training.data import Interactions, interactions
from training.judging.assessment import Assessment
from training.judging.evaluation import batches, scorer_scores
from training.models.lightgcn import LightGCNConfig
from training.scorer import Scorer
from training.splits import Split
from training.world import World

SEED = 1


def drawn_weights(train: Interactions, neighbours: int) -> sp.csr_matrix:
    """[I, I] CSR with `neighbours` entries a row, popular items more often."""
    generator = np.random.default_rng(SEED)
    count = train.item_count
    columns = train.item_index[generator.integers(0, len(train), count * neighbours)]
    values = generator.random(len(columns), np.float32)
    indptr = np.arange(0, len(columns) + 1, neighbours)
    weights = sp.csr_matrix((values, columns, indptr), (count, count))
    weights.sum_duplicates()
    return weights


def bare(users: np.ndarray, items: np.ndarray, k: int) -> float:
    """Seconds of the product and torch.topk for all `users` [T, d]."""
    started = time.perf_counter()
    for batch in batches(np.arange(len(users)), len(items)):
        torch.topk(torch.from_numpy(users[batch] @ items.T), k)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print two figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--neighbours", type=int, default=100, help="item–item weights an item")
    options = parser.parse_args()
    files = read_split_files(options.train, options.test)
    train, test = files.train, files.test
    both = interactions(
        np.concatenate([train.user_index, test.user_index]),
        np.concatenate([train.item_index, test.item_index]),
        train.user_count,
        train.item_count,
    )
    vectors = LightGCNConfig().build(World(train), seed=SEED).export()
    similar = drawn_weights(train, options.neighbours)
    scorer = Scorer(vectors.item_vectors, vectors.event_vectors, similar, blend=1.0)
    known, residuals = train.history(), vectors.residuals

    started, cpu = time.perf_counter(), time.process_time()
    assessment = Assessment(World(both), Split("given files", train, train, test), SEED)
    scores = scorer_scores(scorer, known, residuals, train.popularity())
    assessment.judge({"drawn": scores})
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    rows = assessment.users
    users = scorer.user_vectors(known[rows], None if residuals is None else residuals[rows])
    reference = bare(users, scorer.item_vectors, max(assessment.cutoffs))
    show("evaluation.seconds", seconds, "s", reference, cpu_seconds=round(cpu, 1))
    show("evaluation.rss", megabytes, "MB")


if __name__ == "__main__":
    main()
