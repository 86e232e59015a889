"""The loop through a real Redis, with real workers that are killed, frozen and forgotten."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Redis

from api.loop.jobs import request_retrain
from api.loop.tasks import create_celery, forget
from api.settings import Settings
from graphdb.answers.served import save_served
from graphdb.connection import Graph, Neo4jSettings
from graphdb.events.event_row import micros
from graphdb.export.export import export_snapshot
from graphdb.jobs import list_jobs, request_job
from graphdb.local.processes import is_alive, wait_until
from graphdb.versions.versions import fetch_serving, list_versions
from tests.api.versions import build_artifact
from tests.api.workers import Workers, training_processes
from tests.graphdb.answers.test_served import lists, served_row

LEASE_S, SWEEP_S = 3, 1
SOON_S, LATER_S = 60.0, 180.0
AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def workers(neo4j_address, redis_url: str, artifacts: Path) -> Iterator[Workers]:
    """Celery on an empty Redis and the run's graph, with impatient leases and sweeps."""
    with Redis.from_url(redis_url) as redis:
        redis.flushall()
    address = neo4j_address
    neo4j = Neo4jSettings(uri=address.uri, user=address.user, password=SecretStr(address.password))
    settings = Settings(home=artifacts.parent, job_lease_s=LEASE_S, sweep_s=SWEEP_S)
    workers = Workers(settings, neo4j, redis_url)
    yield workers
    workers.close()


def job(graph: Graph, kind: str) -> dict:
    return next((row for row in list_jobs(graph) if row["kind"] == kind), {})


def serves(graph: Graph, version: str) -> bool:
    return (fetch_serving(graph) or {}).get("id") == version


def states(graph: Graph) -> dict[str, str]:
    return {row["id"]: row["state"] for row in list_versions(graph)}


def ask_for_training(graph: Graph, domain, workers: Workers, name: str) -> None:
    export_snapshot(graph, domain, workers.settings.snapshots / name)
    request_job(graph, f"train:{name}", "train", {"snapshot": name})


def ask_for_publication(graph: Graph, workers: Workers, name: str) -> None:
    build_artifact(graph, workers.settings.artifacts / name, seed=5)
    request_job(graph, f"publish:{name}", "publish", {"artifact": name})


def test_a_cycle_asked_for_twice_goes_through_the_queues_once(
    graph, world, workers, redis_url, neo4j_address
):
    """Beside a job of a kind that nobody knows, which is left alone, and logs that name nobody."""
    workers.worker()
    workers.beat()
    request_job(graph, "compress:1", "compress", {})

    keys = {request_retrain(graph, AT) for _ in range(2)}

    version = "20260102T0304-1-1"
    assert wait_until(lambda: serves(graph, version), LATER_S, 0.5), workers.log("worker")
    assert wait_until(lambda: job(graph, "publish")["state"] == "done", SOON_S)
    assert keys == {"export:20260102T0304"}
    assert {(row["key"], row["state"], row["attempts"]) for row in list_jobs(graph)} == {
        ("export:20260102T0304", "done", 1),
        ("train:20260102T0304-1", "done", 1),
        (f"publish:{version}", "done", 1),
        ("compress:1", "waiting", 0),
    }
    assert states(graph) == {version: "serving", "v1": "standby"}
    said = workers.log("worker") + workers.log("beat")
    secrets = [neo4j_address.password, redis_url.split("@")[0].rpartition(":")[2]]
    assert not [secret for secret in secrets if secret and secret in said]
    assert not [key for key in world.user_keys if key in said]


def test_a_worker_killed_in_training_leaves_the_old_version_and_another_finishes(
    graph, domain, world, workers
):
    first = workers.worker()
    workers.beat()
    ask_for_training(graph, domain, workers, "s")
    assert wait_until(lambda: bool(training_processes(first.pid)), SOON_S)

    os.killpg(first.pid, signal.SIGKILL)

    assert wait_until(lambda: not is_alive(first), 10)
    assert training_processes(first.pid) == []
    assert job(graph, "train")["state"] == "running"
    assert states(graph) == {"v1": "serving"}
    workers.worker()
    assert wait_until(lambda: serves(graph, "s-2"), LATER_S, 0.5), workers.log("worker")
    assert wait_until(lambda: job(graph, "publish")["state"] == "done", SOON_S)
    assert job(graph, "train")["attempts"] == 2
    assert job(graph, "publish")["attempts"] == 1
    assert states(graph) == {"s-2": "serving", "v1": "standby"}


def test_a_worker_killed_in_publication_leaves_the_old_version_and_another_finishes(
    graph, world, workers
):
    first = workers.worker()
    workers.beat()
    ask_for_publication(graph, workers, "v2")
    assert wait_until(lambda: states(graph).get("v2") == "building", SOON_S, 0.01)

    os.killpg(first.pid, signal.SIGKILL)

    assert wait_until(lambda: not is_alive(first), 10)
    assert states(graph) == {"v1": "serving", "v2": "building"}
    workers.worker()
    assert wait_until(lambda: serves(graph, "v2"), LATER_S, 0.2), workers.log("worker")
    assert wait_until(lambda: job(graph, "publish")["state"] == "done", SOON_S)
    assert job(graph, "publish")["attempts"] == 2
    assert states(graph) == {"v2": "serving", "v1": "standby"}


WRITTEN = """
MATCH (v:ModelVersion {id: 'v2'})
RETURN v.fence AS fence, v.state AS state, toString(v.published_at) AS at,
       COUNT { ()-[:SIMILAR_B]->() } AS similar,
       COUNT { (i:Item) WHERE i.vector_b IS NOT NULL } AS items,
       COUNT { (u:User) WHERE u.vector_b IS NOT NULL } AS users
"""


def test_a_frozen_worker_writes_nothing_once_it_was_overtaken(graph, world, workers):
    frozen = workers.worker()
    workers.beat()
    ask_for_publication(graph, workers, "v2")
    assert wait_until(lambda: states(graph).get("v2") == "building", SOON_S, 0.01)

    os.killpg(frozen.pid, signal.SIGSTOP)
    assert states(graph)["v2"] == "building"
    workers.worker()
    assert wait_until(lambda: serves(graph, "v2"), LATER_S, 0.2), workers.log("worker")
    assert wait_until(lambda: job(graph, "publish")["state"] == "done", SOON_S)
    jobs, before = list_jobs(graph), graph.read(WRITTEN)
    os.killpg(frozen.pid, signal.SIGCONT)
    told = wait_until(lambda: "another" in workers.log("worker"), SOON_S)

    assert told, workers.log("worker")
    time.sleep(LEASE_S)
    assert before[0]["fence"] >= 2
    assert graph.read(WRITTEN) == before
    assert list_jobs(graph) == jobs
    assert states(graph) == {"v2": "serving", "v1": "standby"}


def test_jobs_come_back_from_the_graph_when_redis_has_lost_everything(
    graph, world, workers, redis_url
):
    workers.worker()
    workers.beat()
    with Redis.from_url(redis_url) as redis:
        assert wait_until(lambda: "sweep" in workers.log("worker"), SOON_S)
        redis.flushall()

    ask_for_publication(graph, workers, "v2")

    assert wait_until(lambda: serves(graph, "v2"), SOON_S, 0.2), workers.log("worker")
    assert wait_until(lambda: job(graph, "publish")["state"] == "done", SOON_S)
    assert job(graph, "publish")["attempts"] == 1


def test_a_job_that_fails_three_times_is_failed_with_its_reason(graph, domain, world, workers):
    worker = workers.worker()
    workers.beat()
    ask_for_training(graph, domain, workers, "s")

    for _ in range(3):
        assert wait_until(lambda: bool(training_processes(worker.pid)), SOON_S)
        for process in training_processes(worker.pid):
            process.kill()
            process.wait(10)

    assert wait_until(lambda: job(graph, "train")["state"] == "failed", SOON_S)
    failed = job(graph, "train")
    assert failed["attempts"] == 3
    assert "was killed: by hand, or for want of memory" in failed["error"]
    assert states(graph) == {"v1": "serving"}
    assert [row["kind"] for row in list_jobs(graph)] == ["train"]


def test_lists_that_are_too_old_or_too_many_are_forgotten(graph, neo4j_address, monkeypatch):
    told = {"URI": neo4j_address.uri, "USER": neo4j_address.user}
    for name, value in (told | {"PASSWORD": neo4j_address.password}).items():
        monkeypatch.setenv(f"PATHLIGHT_NEO4J_{name}", value)
    monkeypatch.setenv("PATHLIGHT_SERVED_DAYS", "2")
    monkeypatch.setenv("PATHLIGHT_SERVED_MOST", "3")
    now = micros(datetime.now(UTC))
    day = 86_400_000_000
    save_served(graph, [served_row(str(n), "", ["1"], at=now - n * day // 2) for n in range(8)])

    forget()

    assert lists(graph) == ["0", "1", "2"]
    assert {"forget", "sweep"} <= set(create_celery(Settings()).conf.beat_schedule)
