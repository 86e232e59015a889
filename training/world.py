"""What a model may learn from: pairs, the events behind them, texts, and the knowledge around them.

It knows neither where these come from nor what learns from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from training.data import Interactions


@dataclass(frozen=True)
class Events:
    """One entry an event, in the users' order, then by time.

    user, item: int32 [N]; type: int8 [N], places in `types`; value: float64 [N], NaN without one;
    at: int64 [N], microseconds since 1970; weight: float32 [N], signed.
    """

    user: np.ndarray
    item: np.ndarray
    type: np.ndarray
    value: np.ndarray
    at: np.ndarray
    weight: np.ndarray
    types: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.user)

    def take(self, chosen: np.ndarray) -> "Events":
        """The events where the mask `chosen` [N] is true."""
        columns = {
            name: getattr(self, name)[chosen]
            for name in ("user", "item", "type", "value", "at", "weight")
        }
        return replace(self, **columns)


@dataclass(frozen=True)
class Relation:
    """Edges of one type between nodes of two kinds: "user", "item", or an attribute's label.

    edge_index: int32 [2, E], rows of the kinds in the order of their counts in World.node_counts.
    """

    name: str
    start: str
    end: str
    edge_index: np.ndarray


@dataclass(frozen=True)
class World:
    """Everything there is to learn from; what a data set does not have is None or empty.

    text: [I, t] float32, zero for items without; node_counts: of attributes, by label.
    """

    interactions: Interactions
    text: np.ndarray | None = None
    events: Events | None = None
    relations: tuple[Relation, ...] = ()
    node_counts: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def graph(self) -> sp.csr_matrix:
        """[U, I] CSR of positive weights, at most the cap each."""
        return self.interactions.graph()

    @cached_property
    def positive_values(self) -> np.ndarray:
        """[nnz] float32 beside `graph`'s entries: the pair's latest value, NaN without one."""
        entries = self.graph.tocoo()
        if self.events is None:
            return np.full(entries.nnz, np.nan, np.float32)
        return latest_values(self.events, entries.row, entries.col, self.graph.shape[1])

    def with_interactions(self, part: Interactions) -> "World":
        """The same world where only `part` is known: other pairs' events are gone too."""
        events = self.events
        if events is not None:
            width = np.int64(part.item_count)
            known = part.user_index.astype(np.int64) * width + part.item_index
            pair = events.user.astype(np.int64) * width + events.item
            events = events.take(np.isin(pair, known))
        return replace(self, interactions=part, events=events)


def latest_values(
    events: Events, user: np.ndarray, item: np.ndarray, item_count: int
) -> np.ndarray:
    """[E] float32: the latest value of each pair of `user` and `item` [E], NaN without one."""
    rated = events.take(np.isfinite(events.value))
    pair = rated.user.astype(np.int64) * item_count + rated.item
    order = np.lexsort((rated.at, pair))
    last = np.flatnonzero(np.diff(pair[order], append=-1))
    found, value = pair[order][last], rated.value[order][last]
    values = np.full(len(user), np.nan, np.float32)
    if len(found):
        wanted = user.astype(np.int64) * item_count + item
        place = np.minimum(np.searchsorted(found, wanted), len(found) - 1)
        known = found[place] == wanted
        values[known] = value[place[known]]
    return values
