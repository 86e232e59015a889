"""An artifact's attention onto the events of the graph.

It composes the artifact's file and graphdb.versions.attention; how either is stored it leaves to
them.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from api.loop.child_process import Progress, run_step
from api.settings import Settings
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.snapshot import read_manifest
from graphdb.versions.attention import Attended, save_attention
from training.artifact import read_model
from training.attention_file import FILE_NAME, read_attention


def publish_attention(
    settings: Settings, graph: Graph, domain: Domain, artifact: Path, progress: Progress
) -> int:
    """Write what the artifact's version attended to onto its events; returns how many.

    Where the artifact has no attention.parquet it is made first, from the snapshot it was trained
    on. Raises ArtifactError, PublicationError, SnapshotError where that is gone, and
    StepRefusedError for a model that attends to nothing.
    """
    model = read_model(artifact)
    if not (artifact / FILE_NAME).is_file():
        snapshot = settings.snapshots / model.snapshot_id
        read_manifest(snapshot)  # before torch is loaded for it
        run_step("training", ["attention", str(snapshot), str(artifact)], progress)
    progress("write", 0, 1)
    written = save_attention(graph, domain, model.id, attended(read_attention(artifact)))
    progress("write", 1, 1)
    return written


def attended(table: pa.Table) -> Iterator[Attended]:
    """The rows of attention.parquet by person, in their order."""
    at = table["at"].cast(pa.int64())
    columns = [table["user"], table["type"].cast(pa.string()), table["item"], at]
    rows = zip(*(column.to_pylist() for column in [*columns, table["attention"]]), strict=True)
    for key, own in groupby(rows, key=itemgetter(0)):
        yield Attended(key, {(kind, item, at): share for _, kind, item, at, share in own})
