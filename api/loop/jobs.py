"""Running a job: claimed with a fence, its lease renewed while it works, its outcome recorded.

Each kind is a plain function from a claim to an outcome and the jobs that follow. Who asks, a
Celery task or the command line, is not known here.
"""

import logging
import os
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from api.loop.child_process import StepRefusedError
from api.loop.cycle import export, publish_artifact, train
from api.loop.gate import SPLIT, artifact_verdict, serving_artifact
from api.settings import Settings
from graphdb.audit.audit import AuditError
from graphdb.connection import Graph, Neo4jSettings
from graphdb.domain import Domain
from graphdb.errors import GraphUnavailableError, LeaseLostError, PathlightError
from graphdb.jobs import (
    Claim,
    Following,
    claim_job,
    fail_job,
    finish_job,
    renew_lease,
    request_job,
)
from graphdb.snapshot import SnapshotError
from graphdb.versions.versions import list_versions
from training.errors import TrainingError

log = logging.getLogger(__name__)

HOPELESS = (AuditError, SnapshotError, TrainingError, StepRefusedError)
"""What another attempt would end in again."""


@dataclass(frozen=True)
class Workplace:
    """What a job works with."""

    settings: Settings
    neo4j: Neo4jSettings
    graph: Graph
    domain: Domain


@dataclass
class Lease:
    """A claim being renewed; `check` raises LeaseLostError once another worker holds the job."""

    claim: Claim
    lost: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        if self.lost.is_set():
            raise LeaseLostError(f"job {self.claim.key} was taken over by another worker")


Outcome = tuple[dict[str, Any], Following | None]


def request_retrain(graph: Graph, at: datetime | None = None) -> str:
    """Ask for a whole cycle; the key is the minute, so that asking twice is one cycle."""
    moment = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M")
    key = f"export:{moment}"
    request_job(graph, key, "export", {"name": moment})
    return key


def run_job(place: Workplace, key: str) -> str | None:
    """Run the job if nobody holds it; returns the key of the job that follows, if any.

    What cannot succeed by trying again (bad input) fails at once; the rest waits for a later
    attempt.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}"
    claim = claim_job(place.graph, key, owner, place.settings.job_lease_s)
    if claim is None:
        return None
    log.info("job %s: attempt %d", claim.key, claim.attempt)
    try:
        following = _attempt(place, claim)
    except LeaseLostError as error:
        log.warning("%s", error)
        return None
    return following.key if following else None


def _attempt(place: Workplace, claim: Claim) -> Following | None:
    with _renewed(place, claim) as lease:
        try:
            outcome, following = KINDS[claim.kind](place, lease)
        except LeaseLostError:
            raise
        except Exception as error:
            # Fenced like every write: of a worker that was overtaken it raises LeaseLostError.
            state = fail_job(place.graph, claim, _words(error), final=isinstance(error, HOPELESS))
            log.warning("job %s is %s: %s", claim.key, state, _words(error))
            return None
        finish_job(place.graph, claim, outcome, following)
    return following


def _words(error: Exception) -> str:
    told = isinstance(error, PathlightError | SnapshotError | TrainingError)
    return str(error) if told else f"{type(error).__name__}: {error}"


def _export(place: Workplace, lease: Lease) -> Outcome:
    # The fence is in the name: a worker that was taken for dead writes beside, never over.
    name = f"{lease.claim.input['name']}-{lease.claim.fence}"
    export(
        place.settings,
        place.neo4j,
        place.graph,
        place.domain,
        name,
        _watched(lease),
        alive=lease.check,
    )
    return {"snapshot": name}, Following(f"train:{name}", "train", {"snapshot": name})


def _train(place: Workplace, lease: Lease) -> Outcome:
    snapshot = lease.claim.input["snapshot"]
    name = f"{snapshot}-{lease.claim.fence}"
    directory = place.settings.snapshots / snapshot
    if not place.settings.quality_gate:
        train(place.settings, directory, name, _watched(lease), alive=lease.check)
        return {"artifact": name}, _publication(name)
    artifact = train(
        place.settings,
        directory,
        name,
        _watched(lease),
        split=SPLIT,
        against=serving_artifact(place.settings, place.graph),
        alive=lease.check,
    )
    found = artifact_verdict(artifact)
    log.info("job %s: %s", lease.claim.key, found.sentence)
    outcome = {"artifact": name, "refused": found.refused, "gate": found.sentence}
    return outcome, None if found.refused else _publication(name)


def _publication(artifact: str) -> Following:
    return Following(f"publish:{artifact}", "publish", {"artifact": artifact})


def _publish(place: Workplace, lease: Lease) -> Outcome:
    name, fence = lease.claim.input["artifact"], lease.claim.fence
    artifact = place.settings.artifacts / name
    if fence > 1 and any(v["id"] == name and v["published_at"] for v in list_versions(place.graph)):
        # An earlier attempt ended between its flip and the record of it.
        return {"version": name}, None
    version = publish_artifact(place.settings, place.graph, artifact, fence, _watched(lease))
    return {"version": version}, None


KINDS: dict[str, Callable[[Workplace, Lease], Outcome]] = {
    "export": _export,
    "train": _train,
    "publish": _publish,
}


def _watched(lease: Lease) -> Callable[[str, int, int], None]:
    def progress(step: str, done: int, total: int) -> None:
        lease.check()
        log.debug("job %s: %s %d of %d", lease.claim.key, step, done, total)

    return progress


@contextmanager
def _renewed(place: Workplace, claim: Claim) -> Generator[Lease]:
    lease, stopped = Lease(claim), threading.Event()

    def renew() -> None:
        while not stopped.wait(place.settings.job_lease_s / 3):
            try:
                renew_lease(place.graph, claim, place.settings.job_lease_s)
            except LeaseLostError:
                lease.lost.set()
                return
            except GraphUnavailableError as error:
                # Not lost yet: a lease lasts three renewals, and the fence guards what is written.
                log.warning("job %s: lease not renewed: %s", claim.key, error)

    thread = threading.Thread(target=renew, name=f"lease-{claim.key}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stopped.set()
        thread.join()
