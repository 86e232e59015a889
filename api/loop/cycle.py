"""The loop's three steps as plain functions: export, train, publish. Each can be called alone.

What needs torch runs in a process of its own (api.loop.child_process). What the steps leave on
disk is bounded here.
"""

import shutil
import time
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path

from api.loop.child_process import run_step
from api.loop.publication import Progress, publish
from api.settings import Settings
from graphdb.audit.audit import require_sound
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import Domain
from graphdb.export.export import export_snapshot
from graphdb.snapshot import read_manifest
from graphdb.versions.versions import list_versions
from training.artifact import read_model
from training.judging.judgement import FILE_NAME
from training.search.choice import RECIPE, Choice, RecipeFile, read_recipe_file

DEFAULT = Choice()

ABANDONED_S = 24 * 3600
"""A directory still being built after so long belongs to a process that was killed."""


def unwatched() -> None:
    """The `alive` of a caller that stops by itself."""


def export(
    settings: Settings,
    neo4j: Neo4jSettings,
    graph: Graph,
    domain: Domain,
    name: str,
    progress: Progress,
    *,
    received_by: datetime | None = None,
    since: Path | None = None,
    alive: Callable[[], None] = unwatched,
) -> Path:
    """Audit, encode the texts that changed, and write the snapshot `name`; an older one of it goes.

    `received_by` and `since` are export_snapshot's. `neo4j` is where `graph` is. `alive` is called
    now and then and may raise to have it stopped. Raises AuditError for a graph that fails.
    """
    if settings.audit_gate:
        require_sound(graph, domain, progress)
    run_step("ingest", (), progress, alive=alive, env=neo4j.environment())
    directory = settings.snapshots / name
    shutil.rmtree(directory, ignore_errors=True)
    progress("export", 0, 1)
    export_snapshot(graph, domain, directory, received_by=received_by, since=since)
    progress("export", 1, 1)
    _keep_newest(settings.snapshots, settings.keep_snapshots, {name})
    return directory


def train(
    settings: Settings,
    snapshot: Path,
    name: str,
    progress: Progress,
    *,
    seed: int = 1,
    choice: Choice = DEFAULT,
    start: Path | None = None,
    split: str = "latest",
    against: Path | None = None,
    alive: Callable[[], None] = unwatched,
) -> Path:
    """Train on `snapshot`; returns the artifact's directory. `start`, `split` and
    `against` are training.train's.

    Raises StepFailedError, or StepRefusedError for a snapshot that cannot be learned from or a
    choice that there is not, SnapshotError for no snapshot.
    """
    read_manifest(snapshot)  # before torch is loaded for it
    artifact = settings.artifacts / name
    shutil.rmtree(artifact, ignore_errors=True)
    # By the snapshot: another attempt of the job goes on where the last one was killed, and has
    # another name.
    checkpoints = settings.artifacts / f".{snapshot.name}.training"
    arguments = ["train", str(snapshot), str(artifact), "--seed", str(seed), "--split", split]
    arguments += ["--checkpoints", str(checkpoints)]
    arguments += ["--processes", str(settings.training_processes)]
    given = {"--against": against, "--from": start}
    arguments += [f"{option}={path}" for option, path in given.items() if path is not None]
    run_step("training", [*arguments, *choice.arguments()], progress, alive=alive)
    return artifact


def evaluate(
    artifact: Path, snapshot: Path, out: Path | None, options: Sequence[str], progress: Progress
) -> Path:
    """Judge an artifact's recipe again on `snapshot`; returns the judgement's file, `out` or the
    artifact's own. `options` are those of `python -m training evaluate`.

    Raises StepFailedError, StepRefusedError, SnapshotError, ArtifactError.
    """
    read_manifest(snapshot)
    read_model(artifact)
    target = out or artifact / FILE_NAME
    arguments = ["evaluate", str(artifact), str(snapshot), "--out", str(target), *options]
    run_step("training", arguments, progress)
    return target


def tune(
    snapshot: Path,
    study: Path,
    progress: Progress,
    *,
    minutes: float,
    seed: int = 1,
    choice: Choice = DEFAULT,
) -> RecipeFile:
    """Search settings on `snapshot`, in the directory `study`; returns the recipe it leaves there.

    Raises as `train`."""
    read_manifest(snapshot)
    arguments = ["tune", str(snapshot), str(study), "--minutes", str(minutes), "--seed", str(seed)]
    run_step("training", [*arguments, *choice.arguments()], progress)
    return read_recipe_file(study / RECIPE)


def publish_artifact(
    settings: Settings, graph: Graph, artifact: Path, fence: int, progress: Progress
) -> str:
    """Publish, then drop the artifacts beyond the bound that neither serve nor stand by."""
    version = publish(graph, artifact, fence=fence, progress=progress)
    held = {v["id"] for v in list_versions(graph) if v["state"] != "retired"}
    _keep_newest(settings.artifacts, settings.keep_artifacts, held)
    return version


def _keep_newest(directory: Path, count: int, held: Collection[str]) -> None:
    """Of the finished directories keep `held` and the newest, `count` in all."""
    found = [path for path in directory.iterdir() if path.is_dir() and path.name not in held]
    building = [path for path in found if path.name.startswith(".")]
    finished = sorted(set(found) - set(building), key=_age)
    abandoned = [path for path in building if _age(path) > ABANDONED_S]
    for path in [*finished[max(0, count - len(held)) :], *abandoned]:
        shutil.rmtree(path, ignore_errors=True)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime
