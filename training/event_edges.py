"""The edges that a model may attend to: one an event of a known pair, with what is known of it.

It knows the world's events; not what is made of them.
"""

from dataclasses import dataclass

import numpy as np

from training.world import Events, World

DAY_US = 86_400_000_000


@dataclass(frozen=True)
class EventEdges:
    """user, item: int32 [E]; event: int64 [E], rows of World.events, None where each edge is a pair
    because no events are known; features: float32 [E, F], each of mean 0 and deviation 1 or
    constantly 0."""

    user: np.ndarray
    item: np.ndarray
    event: np.ndarray | None
    features: np.ndarray


def event_edges(world: World) -> EventEdges:
    """An edge for each event of positive weight whose pair is in the world's graph.

    Features: the event's type (a flag each), its value (with a flag that it has one), its age (log
    of 1 + days before the last event) and the log of its weight. Without events: each pair once,
    with the log of its weight.
    """
    pairs = world.graph.tocoo()
    if world.events is None:
        return EventEdges(pairs.row, pairs.col, None, _standardised(np.log(pairs.data)[:, None]))
    width = np.int64(world.graph.shape[1])
    of_pair = world.events.user.astype(np.int64) * width + world.events.item
    known = np.isin(of_pair, pairs.row.astype(np.int64) * width + pairs.col)
    rows = np.flatnonzero(known & (world.events.weight > 0))
    events = world.events.take(rows)
    return EventEdges(events.user, events.item, rows, _features(events))


def _features(events: Events) -> np.ndarray:
    valued = np.isfinite(events.value)
    mean = events.value[valued].mean() if valued.any() else 0.0
    last = events.at.max() if len(events) else 0
    days = (last - events.at) / DAY_US
    flags = events.type[:, None] == np.arange(len(events.types))
    others = [np.where(valued, events.value, mean), valued, np.log1p(days), np.log(events.weight)]
    return _standardised(np.column_stack([flags, *others]))


def _standardised(columns: np.ndarray) -> np.ndarray:
    columns = columns - columns.mean(axis=0) if len(columns) else columns
    deviation = columns.std(axis=0) if len(columns) else np.ones(columns.shape[1])
    varies = deviation > 1e-6
    return (np.where(varies, columns, 0) / np.where(varies, deviation, 1)).astype(np.float32)
