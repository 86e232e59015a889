"""An artifact's model as it was trained, asked for its attention.

It knows the snapshot's and the artifact's files; not which model attends, nor who reads of it.
"""

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from safetensors.torch import load_file

from graphdb.snapshot import Snapshot, read_snapshot
from training.artifact import ArtifactError, read_artifact
from training.attention_file import ATTENTION, write_attention
from training.errors import TrainingError
from training.event_edges import EventEdges
from training.model import Model, ModelConfig
from training.snapshots import snapshot_world


class NoAttentionError(TrainingError):
    """A model that attends to nothing is asked for its attention."""


@runtime_checkable
class Attends(Protocol):
    """What a model with attention has: the events it attends to, and how much to each [E]."""

    events: EventEdges

    def attention(self) -> np.ndarray: ...


def export_attention(snapshot_directory: Path, artifact_directory: Path) -> int:
    """Write `attention.parquet` into the artifact that was trained on the snapshot; returns its
    rows.

    Raises SnapshotError, ArtifactError, and NoAttentionError for a model without.
    """
    artifact = read_artifact(artifact_directory)
    snapshot = read_snapshot(snapshot_directory)
    if snapshot.manifest.id != artifact.model.snapshot_id:
        raise ArtifactError(
            f"{artifact_directory} was trained on snapshot {artifact.model.snapshot_id}, not on"
            f" {snapshot.manifest.id}"
        )
    settings = dict(artifact.model.recipe["model"])
    config = ModelConfig.of(settings.pop("name"), settings)
    model = config.build(snapshot_world(snapshot), seed=artifact.model.seed)
    attends = _attends(model, config.name)
    model.load_state_dict(load_file(artifact_directory / "weights.safetensors"))
    table = attention_table(snapshot, attends.events, attends.attention())
    write_attention(artifact_directory, table)
    return table.num_rows


def attention_table(snapshot: Snapshot, events: EventEdges, attention: np.ndarray) -> pa.Table:
    """`attention` [E] of `events`, which are edges of the snapshot's own events, as ATTENTION."""
    rows = snapshot.events.take(pa.array(events.event))
    columns = {
        "user": snapshot.users["key"].take(rows["user"]),
        "item": snapshot.items["id"].take(rows["item"]),
        "type": rows["type"],
        "at": rows["at"],
        "attention": pa.array(attention),
    }
    return pa.table(columns).cast(ATTENTION)


def _attends(model: Model, name: str) -> Attends:
    # Below a head the model is a part of what was built.
    found = next((part for part in model.modules() if isinstance(part, Attends)), None)
    if found is None:
        raise NoAttentionError(f"model {name} attends to nothing: train gat, which does")
    return found
