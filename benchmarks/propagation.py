"""One LightGCN training step on our kernel beside PyG's own edge_index LightGCN.

    python -m benchmarks.propagation [--steps N]

30,000 × 40,000 nodes, 800,000 edges with Zipf-like popularity, 3 layers, 64 dimensions; a step is
forward, BPR on 2,048 triples, backward and fused Adam, the same for both. The two take turns, so
the ratio of medians holds on a busy machine; outputs and gradients are compared first.
"""

import argparse
import os
import statistics
import time
import warnings

# Read when OpenMP is loaded: spinning threads are ruinous beside other processes.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import scipy.sparse as sp
import torch
from torch.nn import functional

from benchmarks.figures import show
from training.data import interactions
from training.models.lightgcn import LightGCN, LightGCNConfig
from training.world import World

USERS, ITEMS, EDGES = 30_000, 40_000, 800_000
HOPS, DIMENSIONS, BATCH = 3, 64, 2_048


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
        user_vectors, item_vectors = self.model()
        return bpr(user_vectors[users], item_vectors[positives], item_vectors[negatives])


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


def main() -> None:
    """Measure and print one figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=7, help="timed steps of each side")
    options = parser.parse_args()
    graph = synthetic_graph(USERS, ITEMS, EDGES)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(USERS + ITEMS, DIMENSIONS, generator=generator) * 0.1
    pairs = graph.tocoo()
    ours, reference = Ours(graph, start), Reference(graph, start)
    seconds = {ours: [], reference: []}
    for number in range(options.steps + 1):
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


if __name__ == "__main__":
    main()
