"""The artifact's file format: what a training run leaves and a version is published from.

It knows files only: not how the arrays were learned nor who serves them. Reading needs no torch.

    model.json           see Model
    weights.safetensors  the trained parameters
    items.parquet        id, v, z (lists of d floats), popularity (summed positive event weight)
    users.parquet        key, e (d floats, null without one), items, weights, seen (lists, one entry
                         an item of the person's history; weights are uncapped sums)
    similar.parquet      item, others, weights: the truncated item–item weights b, one row an item
    judgement.json       how it fared, see training.judging.judgement; not part of what serves,
                         replaced by a later judgement: it has no hash in `model.json`
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, ValidationError

from graphdb.snapshot import SnapshotError, check_files, hash_files
from training.errors import TrainingError
from training.judging.judgement import FILE_NAME, Judgement, write_judgement
from training.scorer import Scorer

SCHEMA_VERSION = 1
MODEL_FILE = "model.json"


class ArtifactError(TrainingError):
    """An artifact that is missing, incomplete, altered, or of another schema version."""


class Model(BaseModel):
    """`model.json`: how to score with the files beside it, and how they came to be.

    `recipe` holds every chosen setting, `metrics` the evaluation, by model name then metric
    (for example `metrics["popularity"]["ndcg@10"]`), `trials` what was tried on validation,
    `curve` an entry an epoch of the chosen model: epoch, loss, seconds, and ndcg where validated,
    `peak_bytes` the most memory that training held: `rss`, and `cuda` on a GPU.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    id: str
    snapshot_id: str
    domain: str
    domain_hash: str
    cut: dict[str, int]
    as_of: datetime
    created_at: datetime
    seed: int
    similarity: Literal["cosine", "inner_product"]
    dimensions: int
    history_exponent: float
    weight_cap: float
    blend: float
    recipe: dict
    metrics: dict[str, dict[str, float]]
    trials: list[dict] = []
    curve: list[dict] = []
    peak_bytes: dict[str, int] = {}
    seconds: dict[str, float] = {}
    libraries: dict[str, str] = {}
    files: dict[str, str] = {}


@dataclass(frozen=True)
class Artifact:
    """An artifact in memory.

    item_ids: I ids in row order; user_keys: U keys; residuals: e [U, d] float32 or None; history:
    [U, I] CSR of uncapped event weights; seen: [U, I] CSR, non-zero where the item counts as seen;
    popularity: [I] float32.
    """

    model: Model
    item_ids: list[str]
    user_keys: list[str]
    scorer: Scorer
    residuals: np.ndarray | None
    history: sp.csr_matrix
    seen: sp.csr_matrix
    popularity: np.ndarray


def write_artifact(
    directory: Path,
    artifact: Artifact,
    weights: Mapping[str, np.ndarray],
    judgement: Judgement | None = None,
) -> Artifact:
    """Write beside `directory` and rename it there; returns it with the files' hashes.

    Raises FileExistsError when `directory` is there already, ArtifactError for vectors that are
    not finite.
    """
    from safetensors.numpy import save_file

    if directory.exists():
        raise FileExistsError(directory)
    _check_vectors(artifact)
    building = directory.with_name(f".{directory.name}.{uuid4().hex[:8]}")
    building.mkdir(parents=True)
    try:
        save_file(
            {name: np.ascontiguousarray(w) for name, w in weights.items()},
            building / "weights.safetensors",
        )
        pq.write_table(_items_table(artifact), building / "items.parquet")
        pq.write_table(_users_table(artifact), building / "users.parquet")
        pq.write_table(_similar_table(artifact.scorer.similar), building / "similar.parquet")
        model = artifact.model.model_copy(update={"files": hash_files(building)})
        (building / MODEL_FILE).write_text(model.model_dump_json(indent=2))
        if judgement is not None:
            write_judgement(building / FILE_NAME, judgement)
        building.rename(directory)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return replace(artifact, model=model)


def read_model(directory: Path) -> Model:
    """Read and check `model.json` alone. Raises ArtifactError."""
    path = directory / MODEL_FILE
    try:
        return Model.model_validate_json(path.read_text())
    except FileNotFoundError:
        raise ArtifactError(f"{directory} is not an artifact: it has no model.json") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "content"
        raise ArtifactError(f"{path}: {key}: {first['msg']}") from None


def read_artifact(directory: Path) -> Artifact:
    """Read an artifact whole. Raises ArtifactError naming the file that is missing or altered."""
    model = read_model(directory)
    if model.schema_version != SCHEMA_VERSION:
        raise ArtifactError(
            f"{directory}: schema_version is {model.schema_version}, this program reads"
            f" {SCHEMA_VERSION}; train again"
        )
    try:
        check_files(directory, model.files)
    except SnapshotError as error:
        raise ArtifactError(str(error)) from None
    items = pq.read_table(directory / "items.parquet")
    users = pq.read_table(directory / "users.parquet")
    similar = pq.read_table(directory / "similar.parquet")
    item_count, d = items.num_rows, model.dimensions
    return Artifact(
        model=model,
        item_ids=items["id"].to_pylist(),
        user_keys=users["key"].to_pylist(),
        scorer=Scorer(
            item_vectors=_matrix(items, "v", d),
            event_vectors=_matrix(items, "z", d),
            similar=_csr(similar["others"], similar["weights"], item_count),
            blend=model.blend,
            history_exponent=model.history_exponent,
            cosine=model.similarity == "cosine",
            weight_cap=model.weight_cap,
        ),
        residuals=None if users["e"].null_count else _matrix(users, "e", d),
        history=_csr(users["items"], users["weights"], item_count),
        seen=_csr(users["items"], users["seen"], item_count),
        popularity=items["popularity"].to_numpy().astype(np.float32),
    )


def _check_vectors(artifact: Artifact) -> None:
    scorer, d = artifact.scorer, artifact.model.dimensions
    arrays = {
        "item_vectors": (scorer.item_vectors, artifact.item_ids),
        "event_vectors": (scorer.event_vectors, artifact.item_ids),
        "residuals": (artifact.residuals, artifact.user_keys),
    }
    for name, (array, ids) in arrays.items():
        if array is None:
            continue
        if array.shape != (len(ids), d):
            raise ArtifactError(
                f"{name}: expected {len(ids)} vectors of {d} numbers, got"
                f" {len(array)} of {array.shape[1]}; nothing was written"
            )
        if not np.isfinite(array).all():
            row = np.argwhere(~np.isfinite(array))[0][0]
            raise ArtifactError(
                f"{name}: row {row} is not finite ({ids[row]}); nothing was written"
            )
    if not np.isfinite(scorer.similar.data).all():
        raise ArtifactError("similar: a weight is not finite; nothing was written")


def _items_table(artifact: Artifact) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(artifact.item_ids, pa.string()),
            "v": _lists(artifact.scorer.item_vectors),
            "z": _lists(artifact.scorer.event_vectors),
            "popularity": pa.array(artifact.popularity, pa.float32()),
        }
    )


def _users_table(artifact: Artifact) -> pa.Table:
    history, seen = artifact.history, artifact.seen
    offsets = pa.array(history.indptr, pa.int32())
    count = len(artifact.user_keys)
    e = pa.nulls(count, pa.list_(pa.float32(), artifact.model.dimensions))
    return pa.table(
        {
            "key": pa.array(artifact.user_keys, pa.string()),
            "e": e if artifact.residuals is None else _lists(artifact.residuals),
            "items": pa.ListArray.from_arrays(offsets, pa.array(history.indices, pa.int32())),
            "weights": pa.ListArray.from_arrays(offsets, pa.array(history.data, pa.float32())),
            "seen": pa.ListArray.from_arrays(offsets, pa.array(seen.data.astype(bool))),
        }
    )


def _similar_table(similar: sp.csr_matrix) -> pa.Table:
    offsets = pa.array(similar.indptr, pa.int32())
    return pa.table(
        {
            "item": pa.array(np.arange(similar.shape[0]), pa.int32()),
            "others": pa.ListArray.from_arrays(offsets, pa.array(similar.indices, pa.int32())),
            "weights": pa.ListArray.from_arrays(offsets, pa.array(similar.data, pa.float32())),
        }
    )


def _lists(matrix: np.ndarray) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(matrix, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])


def _matrix(table: pa.Table, name: str, d: int) -> np.ndarray:
    width = table.schema.field(name).type.list_size
    if width != d:
        raise ArtifactError(f"column {name}: expected vectors of {d} numbers, got {width}")
    flat = table[name].combine_chunks().flatten()
    return flat.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, d)


def _csr(indices: pa.ChunkedArray, data: pa.ChunkedArray, columns: int) -> sp.csr_matrix:
    rows = indices.combine_chunks()
    indptr = np.concatenate([[0], np.cumsum(rows.value_lengths().to_numpy())]).astype(np.int32)
    flat = data.combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return sp.csr_matrix(
        (flat, rows.flatten().to_numpy().astype(np.int32), indptr), (len(rows), columns)
    )
