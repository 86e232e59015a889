"""The loop's three steps as plain functions: export, train, publish. Each can be called alone.

Training is a process of its own, so that its memory is returned and a worker stays small. What
the steps leave on disk is bounded here.
"""

import json
import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path

from api.publication import Progress, publish
from api.settings import Settings
from graphdb.connection import Graph
from graphdb.domain import Domain
from graphdb.errors import PathlightError
from graphdb.export import export_snapshot
from graphdb.versions import list_versions
from ingest.text import TextEncoder, TextSettings, encode_items

log = logging.getLogger(__name__)

POLL_S = 0.2


class TrainingFailedError(PathlightError):
    """The training process ended without an artifact; the message is its last sentence."""


def export(settings: Settings, graph: Graph, domain: Domain, name: str, progress: Progress) -> Path:
    """Encode the texts that changed and write the snapshot `name`; an older one of it goes."""
    encode_items(graph, TextEncoder(TextSettings()), progress)
    directory = settings.snapshots / name
    shutil.rmtree(directory, ignore_errors=True)
    progress("export", 0, 1)
    export_snapshot(graph, domain, directory)
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
    alive: Callable[[], None] = lambda: None,
) -> Path:
    """Train on `snapshot` in a process of its own; returns the artifact's directory.

    `alive` is called now and then and may raise to have the process stopped. Raises
    TrainingFailedError.
    """
    artifact = settings.artifacts / name
    shutil.rmtree(artifact, ignore_errors=True)
    command = [sys.executable, "-m", "training", str(snapshot), str(artifact), "--seed", str(seed)]
    errors = settings.root / "logs" / "training.err"
    errors.parent.mkdir(parents=True, exist_ok=True)
    with (
        errors.open("w+") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            for line in process.stdout:
                alive()
                _report(line, progress)
        except BaseException:
            process.kill()
            raise
        if process.wait() != 0:
            said.seek(0)
            raise TrainingFailedError(_last_sentence(said.read(), process.returncode))
    return artifact


def publish_artifact(
    settings: Settings, graph: Graph, artifact: Path, fence: int, progress: Progress
) -> str:
    """Publish, then drop the artifacts beyond the bound that neither serve nor stand by."""
    version = publish(graph, artifact, fence=fence, progress=progress)
    held = {v["id"] for v in list_versions(graph) if v["state"] != "retired"}
    _keep_newest(settings.artifacts, settings.keep_artifacts, held)
    return version


def _report(line: str, progress: Progress) -> None:
    try:
        told = json.loads(line)
        progress(told["step"], told["done"], told["total"])
    except (ValueError, KeyError, TypeError):
        log.info("training: %s", line.rstrip()[:500])


def _last_sentence(said: str, code: int) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    ended = f"killed by signal {-code}" if code < 0 else f"exit {code}"
    return lines[-1][:500] if lines and code > 0 else f"the training process ended: {ended}"


def _keep_newest(directory: Path, count: int, held: Collection[str]) -> None:
    entries = sorted(
        (path for path in directory.iterdir() if path.is_dir() and path.name not in held),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for path in entries[max(0, count - len(held)) :]:
        shutil.rmtree(path, ignore_errors=True)
