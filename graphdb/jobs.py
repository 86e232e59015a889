"""Jobs: what must happen once, remembered in the graph whatever happens to queues and workers.

    (:Job {key, kind, state, attempts, fence, lease_until, owner, input, outcome})

`key` is natural (retrain:2026-11-21T12), so asking twice is one job. A claim locks the node, then
reads: with the obvious query two workers get the same job. Each claim raises the fence; every
later write of the job's output holds it, so that a worker that was taken for dead writes nothing.
States: waiting → running → done, or failed after MAX_ATTEMPTS.
"""

import json
from dataclasses import dataclass
from typing import Any

from graphdb.connection import Graph
from graphdb.errors import LeaseLostError

MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Claim:
    """A job held: `fence` goes with every write of its output."""

    key: str
    kind: str
    fence: int
    attempt: int
    input: dict[str, Any]


@dataclass(frozen=True)
class Following:
    """A job that another's success asks for."""

    key: str
    kind: str
    payload: dict[str, Any]

    def row(self) -> dict[str, str]:
        return {"key": self.key, "kind": self.kind, "input": json.dumps(self.payload)}


REQUEST_JOB = """
MERGE (j:Job {key: $key})
ON CREATE SET j.kind = $kind, j.input = $input, j.state = 'waiting', j.attempts = 0, j.fence = 0,
              j.created_at = datetime.realtime(), j.lease_until = datetime.realtime()
RETURN j.state AS state
"""


def request_job(graph: Graph, key: str, kind: str, payload: dict[str, Any]) -> str:
    """Ask for a job once; asking again changes nothing. Returns its state."""
    return graph.write(REQUEST_JOB, key=key, kind=kind, input=json.dumps(payload))[0]["state"]


# The SET takes the node's lock before the lease is read.
CLAIM_JOB = """
MATCH (j:Job {key: $key})
SET j.lock = $owner
WITH j
WHERE j.state IN ['waiting', 'running'] AND j.lease_until <= datetime.realtime()
      AND j.attempts < $max_attempts
SET j.state = 'running', j.owner = $owner, j.fence = j.fence + 1, j.attempts = j.attempts + 1,
    j.lease_until = datetime.realtime() + duration({seconds: $lease}),
    j.started_at = datetime.realtime()
RETURN j.kind AS kind, j.fence AS fence, j.attempts AS attempt, j.input AS input
"""


def claim_job(graph: Graph, key: str, owner: str, lease: float) -> Claim | None:
    """Hold the job for `lease` seconds, or None: held by another, ended, or not there."""
    rows = graph.write(CLAIM_JOB, key=key, owner=owner, lease=lease, max_attempts=MAX_ATTEMPTS)
    if not rows:
        return None
    row = rows[0]
    return Claim(key, row["kind"], row["fence"], row["attempt"], json.loads(row["input"]))


RENEW_LEASE = """
MATCH (j:Job {key: $key})
SET j.lock = j.owner
WITH j
WHERE j.fence = $fence AND j.state = 'running'
SET j.lease_until = datetime.realtime() + duration({seconds: $lease})
RETURN j.key AS key
"""


def renew_lease(graph: Graph, claim: Claim, lease: float) -> None:
    """Hold the job for another `lease` seconds. Raises LeaseLostError."""
    _held(graph.write(RENEW_LEASE, key=claim.key, fence=claim.fence, lease=lease), claim)


FINISH_JOB = """
MATCH (j:Job {key: $key})
SET j.lock = j.owner
WITH j
WHERE j.fence = $fence AND j.state IN ['running', 'done']
SET j.state = 'done', j.outcome = $outcome, j.finished_at = datetime.realtime()
REMOVE j.error
FOREACH (next IN $following |
  MERGE (f:Job {key: next.key})
  ON CREATE SET f.kind = next.kind, f.input = next.input, f.state = 'waiting', f.attempts = 0,
                f.fence = 0, f.created_at = datetime.realtime(),
                f.lease_until = datetime.realtime()
)
RETURN j.key AS key
"""


def finish_job(
    graph: Graph, claim: Claim, outcome: dict[str, Any], following: Following | None = None
) -> None:
    """Record success and ask for the job that follows, both or neither. Raises LeaseLostError."""
    rows = graph.write(
        FINISH_JOB,
        key=claim.key,
        fence=claim.fence,
        outcome=json.dumps(outcome),
        following=[following.row()] if following else [],
    )
    _held(rows, claim)


FAIL_JOB = """
MATCH (j:Job {key: $key})
SET j.lock = j.owner
WITH j
WHERE j.fence = $fence AND j.state = 'running'
SET j.state = CASE WHEN $final OR j.attempts >= $max_attempts THEN 'failed' ELSE 'waiting' END,
    j.error = $error, j.finished_at = datetime.realtime(), j.lease_until = datetime.realtime()
RETURN j.state AS state
"""


def fail_job(graph: Graph, claim: Claim, error: str, *, final: bool) -> str:
    """Record a failure; unless `final` or out of attempts it waits again. Returns its state."""
    rows = graph.write(
        FAIL_JOB,
        key=claim.key,
        fence=claim.fence,
        error=error[:2000],
        final=final,
        max_attempts=MAX_ATTEMPTS,
    )
    _held(rows, claim)
    return rows[0]["state"]


ABANDON_JOBS = """
MATCH (j:Job {state: 'running'})
WHERE j.lease_until <= datetime.realtime() AND j.attempts >= $max_attempts
SET j.state = 'failed', j.finished_at = datetime.realtime(),
    j.error = 'the worker was lost ' + toString(j.attempts) + ' times'
"""

LIST_DUE = """
MATCH (j:Job)
WHERE j.state IN ['waiting', 'running'] AND j.lease_until <= datetime.realtime()
RETURN j.key AS key, j.kind AS kind
ORDER BY j.created_at
"""


def list_due(graph: Graph) -> list[dict[str, str]]:
    """Jobs nobody holds: new ones, and those whose worker was lost. Out of attempts: failed."""
    graph.write(ABANDON_JOBS, max_attempts=MAX_ATTEMPTS)
    return graph.read(LIST_DUE)


LIST_JOBS = """
MATCH (j:Job)
RETURN j.key AS key, j.kind AS kind, j.state AS state, j.attempts AS attempts, j.error AS error,
       j.outcome AS outcome, toString(j.created_at) AS created_at
ORDER BY j.created_at DESC
LIMIT $limit
"""


def list_jobs(graph: Graph, limit: int = 20) -> list[dict[str, Any]]:
    """The newest jobs and what became of them."""
    return graph.read(LIST_JOBS, limit=limit)


def _held(rows: list[dict[str, Any]], claim: Claim) -> None:
    if not rows:
        raise LeaseLostError(
            f"job {claim.key}: another worker holds it (fence {claim.fence} is old)"
        )
