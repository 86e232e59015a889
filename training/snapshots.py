"""A snapshot's tables as what models learn from."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from graphdb.snapshot import Snapshot
from training.data import Interactions, interactions
from training.errors import InvalidEventError, NoEventsError
from training.world import Events, Relation, World


def snapshot_world(snapshot: Snapshot) -> World:
    """Everything a snapshot holds. Raises as `snapshot_interactions` and `snapshot_events`."""
    relations, counts = snapshot_relations(snapshot)
    return World(
        interactions=snapshot_interactions(snapshot),
        text=snapshot_text(snapshot),
        events=snapshot_events(snapshot),
        relations=relations,
        node_counts=counts,
    )


def snapshot_interactions(snapshot: Snapshot) -> Interactions:
    """The snapshot's events as interactions.

    Raises NoEventsError when none is positive, InvalidEventError for a weight that is not finite.
    """
    events = snapshot.events
    weight = events["weight"].to_numpy()
    _check_finite(snapshot, "weight", weight, "a finite number")
    found = interactions(
        events["user"].to_numpy(),
        events["item"].to_numpy(),
        snapshot.users.num_rows,
        snapshot.items.num_rows,
        weight=weight,
        at=events["at"].cast(pa.int64()).to_numpy(),
        seen=events["seen"].to_numpy(),
        weight_cap=snapshot.manifest.weight_cap,
    )
    if not (found.weight > 0).any():
        raise NoEventsError(
            f"snapshot {snapshot.manifest.id} has {events.num_rows} events and none with a positive"
            " weight: there is nothing to learn from"
        )
    return found


def _check_finite(snapshot: Snapshot, column: str, values: np.ndarray, expected: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InvalidEventError(
            f"snapshot {snapshot.manifest.id}: events.parquet, row {row}: {column} is {values[row]}"
            f", expected {expected}"
        )


def snapshot_text(snapshot: Snapshot) -> np.ndarray | None:
    """Text vectors [I, t] float32, zero for items without text; None when no item has one."""
    if "text_vector" not in snapshot.items.column_names:
        return None
    column = snapshot.items["text_vector"].combine_chunks()
    known = ~column.is_null().to_numpy(zero_copy_only=False)
    if not known.any():
        return None
    vectors = np.stack(column.drop_null().to_numpy(zero_copy_only=False)).astype(np.float32)
    text = np.zeros((len(column), vectors.shape[1]), np.float32)
    text[known] = vectors
    return text


def snapshot_events(snapshot: Snapshot) -> Events:
    """The events one by one, in the snapshot's order.

    Raises InvalidEventError for a value that is not finite; one that is missing is null.
    """
    events = snapshot.events
    _check_finite(
        snapshot,
        "value",
        pc.fill_null(events["value"], 0.0).to_numpy(),
        "a finite number or none",
    )
    kinds = events["type"].combine_chunks()
    return Events(
        user=events["user"].to_numpy(),
        item=events["item"].to_numpy(),
        type=kinds.indices.to_numpy().astype(np.int8),
        value=pc.fill_null(events["value"], float("nan")).to_numpy(),
        at=events["at"].cast(pa.int64()).to_numpy(),
        weight=events["weight"].to_numpy(),
        types=tuple(kinds.dictionary.to_pylist()),
    )


def snapshot_relations(snapshot: Snapshot) -> tuple[tuple[Relation, ...], dict[str, int]]:
    """The knowledge graph's edges by type and ends, and how many nodes each attribute has."""
    rows: dict[str, dict[str, int]] = defaultdict(dict)
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for name, table in sorted(snapshot.edges.items()):
        for edge in table.to_pylist():
            start, end, to = edge["from_kind"], edge["to_kind"], edge["to"]
            if to is None:
                to = rows[end].setdefault(edge["node"], len(rows[end]))
            found[name, start, end].append((edge["from"], to))
    relations = tuple(
        Relation(*key, edge_index=np.array(pairs, np.int32).reshape(-1, 2).T)
        for key, pairs in found.items()
    )
    return relations, {label: len(ids) for label, ids in rows.items()}
