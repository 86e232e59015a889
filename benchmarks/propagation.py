"""One LightGCN training step beside PyG's own edge_index LightGCN, and how an epoch grows.

    python -m benchmarks.propagation [--steps N] [--edges 200000 800000 3200000]

propagation.step: 30,000 × 40,000 nodes, 800,000 edges with Zipf-like popularity, 3 layers, 64
dimensions; a step is forward, BPR on 2,048 triples, backward and fused Adam, the same for both. The
two take turns, so the ratio of medians holds on a busy machine; outputs and gradients are compared
first.

propagation.epoch: on as many nodes, an epoch of LightGCN (2 hops, 512 drawn negatives, AdamW) at
each number of edges, from the median step. The reference is the first size's epoch times the growth
in edges: a ratio of at most 1 grows no faster than the edges. A hundred steps an epoch, so that
the batch grows with the graph: each of them passes all edges, whatever the batch. The figures
ending in .batch keep 2,048 a batch, where steps and edges grow both.

propagation.bandwidth: what one product with the normalised matrix gathers and writes a second,
beside a copy on the same device, which is CUDA where there is one, as for the epochs.
"""

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable

from training.threads import wait_briefly

wait_briefly()

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn import functional

from benchmarks.figures import show
from training.data import interactions
from training.loss import Batch
from training.losses.sampled_softmax import SampledSoftmaxConfig
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.propagation import Propagation
from training.running.options import choose_device
from training.world import World

USERS, ITEMS, EDGES = 30_000, 40_000, 800_000
HOPS, DIMENSIONS, BATCH = 3, 64, 2_048
EPOCH_HOPS, EPOCH_STEPS, EPOCH_SIZES = 2, 100, (200_000, 800_000, 3_200_000)


def synthetic_graph(users: int, items: int, edges: int, seed: int = 1) -> sp.csr_matrix:
    """Distinct pairs; the chance of an item falls with its rank as 1/(rank + 20)^0.8."""
    generator = np.random.default_rng(seed)
    chance = (np.arange(items) + 20.0) ** -0.8
    activity = (np.arange(users) + 20.0) ** -0.5
    found = np.empty(0, np.int64)
    while len(found) < edges:
        drawn_users = generator.choice(users, edges, p=activity / activity.sum())
        drawn_items = generator.choice(items, edges, p=chance / chance.sum())
        found = np.union1d(found, drawn_users.astype(np.int64) * items + drawn_items)
    kept = np.sort(generator.permutation(found)[:edges])
    pair = (np.ones(edges, np.float32), (kept // items, kept % items))
    return sp.csr_matrix(pair, (users, items))


class Ours:
    """A BPR step on training.models.lightgcn."""

    def __init__(self, graph: sp.csr_matrix, start: torch.Tensor):
        pairs = graph.tocoo()
        world = World(interactions(pairs.row, pairs.col, *graph.shape))
        self.model = LightGCN(LightGCNConfig(dimensions=DIMENSIONS, hops=HOPS), world)
        with torch.no_grad():
            self.model.user_embedding.copy_(start[:USERS])
            self.model.item_embedding.copy_(start[USERS:])
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)

    def vectors(self) -> torch.Tensor:
        """Final vectors, users above items."""
        return torch.cat(self.model())

    def gradient(self) -> torch.Tensor:
        """Of the embeddings, users above items."""
        return torch.cat([p.grad for p in self.model.parameters() if p.grad is not None])

    def loss(self, users, positives, negatives) -> torch.Tensor:
        """BPR of a batch."""
        nothing = torch.empty(0)
        batch = Batch(users, positives, nothing, nothing, negatives).compact()
        user_vectors, item_vectors = self.model.rows(batch.user_rows, batch.item_rows)
        return bpr(
            user_vectors[batch.user_index],
            item_vectors[batch.item_index],
            item_vectors[batch.negatives],
        )


class Reference:
    """The same step on PyG's LightGCN with an edge_index in both directions."""

    def __init__(self, graph: sp.csr_matrix, start: torch.Tensor):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
            from torch_geometric.nn import LightGCN as ReferenceLightGCN
        pairs = graph.tocoo()
        forward = torch.from_numpy(np.stack([pairs.row, pairs.col + USERS]).astype(np.int64))
        self.edge_index = torch.cat([forward, forward.flip(0)], dim=1)
        self.model = ReferenceLightGCN(USERS + ITEMS, DIMENSIONS, HOPS)
        with torch.no_grad():
            self.model.embedding.weight.copy_(start)
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)

    def vectors(self) -> torch.Tensor:
        """Final vectors, users above items."""
        return self.model.get_embedding(self.edge_index)

    def gradient(self) -> torch.Tensor:
        """Of the embeddings, users above items."""
        return torch.cat([p.grad for p in self.model.parameters() if p.grad is not None])

    def loss(self, users, positives, negatives) -> torch.Tensor:
        """BPR of a batch."""
        v = self.vectors()
        return bpr(v[users], v[positives + USERS], v[negatives + USERS])


def bpr(users: torch.Tensor, positives: torch.Tensor, negatives: torch.Tensor) -> torch.Tensor:
    """Mean of -log σ(u·i - u·j)."""
    return -functional.logsigmoid((users * (positives - negatives)).sum(dim=1)).mean()


def step(side: Ours | Reference, batch: tuple) -> float:
    """Seconds of one training step."""
    started = time.perf_counter()
    side.optimizer.zero_grad()
    side.loss(*batch).backward()
    side.optimizer.step()
    return time.perf_counter() - started


def agree(ours: Ours, reference: Reference, batch: tuple) -> None:
    """Raise unless vectors and gradients of both sides are equal to 1e-5."""
    with torch.no_grad():
        torch.testing.assert_close(ours.vectors(), reference.vectors(), atol=1e-5, rtol=0)
    for side in (ours, reference):
        side.optimizer.zero_grad()
        # The sum rather than the mean, so that 1e-5 says something about gradients.
        (side.loss(*batch) * BATCH).backward()
    torch.testing.assert_close(ours.gradient(), reference.gradient(), atol=1e-5, rtol=1e-5)


class Epochs:
    """Steps of an epoch as training.running.loop takes them, on one graph."""

    def __init__(self, graph: sp.csr_matrix):
        pairs = graph.tocoo()
        self.device = choose_device()
        self.pairs = torch.from_numpy(np.stack([pairs.row, pairs.col]).astype(np.int64))
        world = World(interactions(pairs.row, pairs.col, *graph.shape))
        self.model = LightGCNConfig(hops=EPOCH_HOPS).build(world, seed=1, device=self.device)
        self.propagation = Propagation(world.graph, EPOCH_HOPS, self.device)
        self.loss_config = SampledSoftmaxConfig()
        self.loss = self.loss_config.build(world, self.device)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), 1e-3, fused=True)

    def seconds(self, size: int, steps: int) -> float:
        """Of an epoch in batches of `size`: the median of `steps` steps times their number."""
        generator = torch.Generator().manual_seed(1)
        taken = []
        for _ in range(steps + 1):
            rows = torch.randint(self.pairs.shape[1], (size,), generator=generator)
            users, items = self.pairs[:, rows].to(self.device)
            drawn = torch.randint(ITEMS, (self.loss_config.negatives,), generator=generator)
            weight = torch.ones(size, device=self.device)
            taken.append(self._step(Batch(users, items, weight, weight, drawn.to(self.device))))
        return statistics.median(taken[1:]) * self.pairs.shape[1] / size

    def _step(self, batch: Batch) -> float:
        started = now()
        given = batch.compact()
        self.optimizer.zero_grad()
        vectors = self.model.rows(given.user_rows, given.item_rows)
        self.loss(*vectors, given).backward()
        self.optimizer.step()
        return now() - started

    def bandwidth(self, steps: int) -> tuple[float, float]:
        """GB/s, medians: of a product with the normalised matrix [U, I], and of a copy."""
        matrix = self.propagation.to_users
        vectors = torch.ones(ITEMS, DIMENSIONS, device=self.device)
        row = DIMENSIONS * vectors.element_size()
        moved = self.pairs.shape[1] * (row + 8) + USERS * row
        source = torch.ones(2**26, device=self.device)
        target = torch.empty_like(source)
        product = median_seconds(lambda: matrix @ vectors, steps)
        copy = median_seconds(lambda: target.copy_(source), steps)
        return moved / product / 1e9, 2 * source.nbytes / copy / 1e9


def now() -> float:
    """Seconds, when the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def median_seconds(work: Callable[[], object], times: int) -> float:
    """Of `work`, after one run that is not counted."""
    taken = []
    for _ in range(times + 1):
        started = now()
        work()
        taken.append(now() - started)
    return statistics.median(taken[1:])


def show_step(steps: int) -> None:
    """propagation.step, after both sides were compared."""
    graph = synthetic_graph(USERS, ITEMS, EDGES)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(USERS + ITEMS, DIMENSIONS, generator=generator) * 0.1
    pairs = graph.tocoo()
    ours, reference = Ours(graph, start), Reference(graph, start)
    seconds = {ours: [], reference: []}
    for number in range(steps + 1):
        rows = torch.randint(EDGES, (BATCH,), generator=generator).numpy()
        negatives = torch.randint(ITEMS, (BATCH,), generator=generator)
        users = torch.from_numpy(pairs.row[rows].astype(np.int64))
        batch = (users, torch.from_numpy(pairs.col[rows].astype(np.int64)), negatives)
        if number == 0:
            agree(ours, reference, batch)
        for side, taken in seconds.items():
            duration = step(side, batch)
            if number:
                taken.append(duration)
    value, baseline = (statistics.median(taken) * 1000 for taken in seconds.values())
    show("propagation.step", value, "ms", baseline, ratio=baseline / value)


def show_epochs(sizes: list[int], steps: int) -> None:
    """propagation.epoch at each size, both ways, and the bandwidth at the largest."""
    first = {}
    for edges in sizes:
        epochs = Epochs(synthetic_graph(USERS, ITEMS, edges))
        for suffix, size in (("", edges // EPOCH_STEPS), (".batch", BATCH)):
            seconds = epochs.seconds(size, steps)
            cost = first.setdefault(suffix, seconds / edges)
            show(f"propagation.epoch.{edges}{suffix}", seconds, "s", cost * edges)
    reached, copy = epochs.bandwidth(steps)
    show("propagation.bandwidth", reached, "GB/s", copy)


def main() -> None:
    """Measure and print every figure, the device on stderr."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=7, help="timed steps of each kind")
    parser.add_argument("--edges", type=int, nargs="+", default=EPOCH_SIZES, help="of the epochs")
    options = parser.parse_args()
    device = choose_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    sys.stderr.write(f"epochs on {name}, {torch.get_num_threads()} threads, seed 1\n")
    show_step(options.steps)
    show_epochs(options.edges, options.steps)


if __name__ == "__main__":
    main()
